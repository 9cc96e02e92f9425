//! Tests of the variants of each format.

use super::{read_as, read_one, rows};
use crate::data::{DataErrors, Dataset, Delimiter, Layout};

#[test]
fn every_format_says_the_same() {
    let products = ["P1 Désk, \"large\" 500.00", "P2 Lamp 0.50"];
    let lists = ["A B: P1 12.5", "A B: P2 0", "C: P2 100"];
    for (what, text, expected) in [
        (
            "array",
            r#"[{"id":"P1","name":"Désk, \"large\"","price":500},
                {"price":"0.5","name":"Lamp","product_id":"P2"}]"#,
            &products[..],
        ),
        (
            "one object per line",
            "\u{feff}{\"id\":\"P1\",\"name\":\"D\\u00e9sk, \\\"large\\\"\",\"value\":5e2}\r\n\r\n\
             {\"id\":\"P2\",\"name\":\"Lamp\",\"price\":0.50}",
            &products,
        ),
        (
            "objects over several lines",
            "{\n\"id\":\"P1\",\"name\":\"Désk, \\\"large\\\"\",\"value\":5e2}\n\
             {\"id\":\"P2\",\"name\":\"Lamp\",\n\"price\":0.50\n}\n",
            &products,
        ),
        (
            "CSV",
            "\u{feff}name,id,value\r\n\"Désk, \"\"large\"\"\",P1,500.00\r\n\r\n Lamp , P2,0.5\r\n",
            &products,
        ),
        (
            "batch write",
            r#"{"my-stack_products":[
                {"PutRequest":{"Item":{"id":{"S":"P1"},"name":{"S":"Désk, \"large\""},"value":{"N":"500"}}}},
                {"PutRequest":{"Item":{"id":{"S":"P2"},"name":{"S":"Lamp"},"value":{"S":"0.50"}}}}]}"#,
            &products,
        ),
        (
            "array of lists",
            r#"[{"user_id":"A B","discounts":[{"product_id":"P2","percentage":"0"},
                {"product_id":"P1","percentage":12.50}]},
                {"products":[{"percentage":1e2,"product_id":"P2"}],"user_id":"C"}]"#,
            &lists,
        ),
        (
            "rows of a user anywhere",
            "{\"user_id\":\"A B\",\"product_id\":\"P1\",\"percentage\":12.5}\n\
             {\"user_id\":\"C\",\"product_id\":\"P2\",\"percentage\":100}\n\
             {\"user_id\":\"A B\",\"product_id\":\"P2\",\"percentage\":\"0\"}\n",
            &lists,
        ),
        (
            "CSV of discounts",
            "user_id,product_id,percentage\nA B,P1,12.5\nC,P2,100.0\n\"A B\",P2,0",
            &lists,
        ),
        (
            "batch write of discounts",
            r#"{"user_discounts":[{"PutRequest":{"Item":{"user_id":{"S":"A B"},"discounts":{"L":[
                {"M":{"product_id":{"S":"P1"},"percentage":{"N":"12.5"}}},
                {"M":{"product_id":{"S":"P2"},"percentage":{"S":"0"}}}]}}}}],
               "organic-cache-discounts":[{"PutRequest":{"Item":{"user_id":{"S":"C"},"products":{"L":[
                {"M":{"product_id":{"S":"P2"},"percentage":{"N":"100"}}}]}}}}]}"#,
            &lists,
        ),
    ] {
        let dataset = read_one(text).unwrap_or_else(|errors| panic!("{what}: {errors}"));
        assert_eq!(rows(&dataset), expected, "{what}");
        assert_eq!(dataset.notices, [], "{what}");
        let [file] = dataset.files.as_slice() else { panic!("{what}") };
        assert_eq!((file.products, file.users), (dataset.products.len(), dataset.discounts.len()));
    }
}

#[test]
fn products_and_discounts_may_be_mixed() {
    let dataset = read_one(
        "{\"products\":[{\"PutRequest\":{\"Item\":{\"id\":{\"S\":\"P1\"},\"name\":{\"S\":\"a\"},\
         \"value\":{\"N\":\"1\"}}}}],\"user_discounts\":[]}\n\
         {\"user_id\":\"A\",\"discounts\":[]}\n\
         {\"id\":\"P2\",\"name\":\"b\",\"price\":2}",
    )
    .unwrap();
    assert_eq!(rows(&dataset), ["P1 a 1.00", "P2 b 2.00"]);
    assert_eq!(dataset.discounts[0].discounts.as_slice(), []);
}

/// Reads a text of one file. The column `note` is left out.
fn read_without_note(text: &str, delimiter: Delimiter) -> Result<Dataset, DataErrors> {
    let mut layout = Layout { delimiter, line_breaks: true, ..Layout::default() };
    layout.columns.ignore("note".to_owned()).unwrap();
    read_as(text, &layout)
}

#[test]
fn a_field_that_is_left_out_may_have_line_breaks() {
    for end in ["\n", "\r\n", "\r"] {
        let of_lines = |text: &str| text.replace('\n', end);
        for (delimiter, sign) in
            [(Delimiter::Comma, ","), (Delimiter::Semicolon, ";"), (Delimiter::Tab, "\t")]
        {
            let text =
                of_lines("id,note,name,price\nP1,\"a\n\n \"\"b\"\",\n\",Desk,5\n\nP2,c,Lamp,6\n");
            let text = text.replace(',', sign);
            let dataset = read_without_note(&text, delimiter).unwrap();
            assert_eq!(rows(&dataset), ["P1 Desk 5.00", "P2 Lamp 6.00"], "{text:?}");
            let notices: Vec<String> = dataset.notices.iter().map(ToString::to_string).collect();
            let of_several_lines = "f: 1 row of several lines, because a quoted field has line \
                                    breaks; it begins at line 2 and has 4 lines";
            assert!(notices.iter().any(|notice| notice == of_several_lines), "{notices:?}");

            let text =
                of_lines("note,id,name,price\n\"\n\",P1,a,x\n\"\n\",P2,,1\n\"x\n\"\nP3,a,b,c,d\n");
            let errors = read_without_note(&text.replace(',', sign), delimiter).unwrap_err();
            let places = errors.errors.iter().map(|error| (error.line.unwrap(), error.column));
            let places: Vec<_> = places.collect();
            // Each is the place of the field, and the whole row is named by its first line.
            assert_eq!(places, [(3, Some(8)), (5, Some(6)), (6, None), (8, Some(10))], "{errors}");
        }
    }
}

#[test]
fn the_longest_row_of_several_lines_is_named() {
    let notice = |text: &str| {
        let dataset = read_without_note(text, Delimiter::Comma).unwrap();
        let notices = dataset.notices.iter().map(ToString::to_string);
        notices.filter(|notice| notice.contains("several lines")).collect::<Vec<_>>().join("\n")
    };
    for (what, text, expected) in [
        (
            "two inch quotes",
            "id,note,name,price\nP1,\"a\nb\",Desk,5\nP2,\"10,Lamp,6\nP3,,Sofa,7\n\nP4,11\",Chair,8\n\
             P5,\"c\nd\",Shelf,9\n",
            "f: 3 rows of several lines, because a quoted field has line breaks; the first begins at \
             line 2; the longest begins at line 4 and has 4 lines",
        ),
        (
            "the header",
            "id,note,\"\nname\",price\nP1,,Desk,5\n",
            "f: 1 row of several lines, because a quoted field has line breaks; it begins at line 1 \
             and has 2 lines",
        ),
        ("none", "id,note,name,price\nP1,\"a\",Desk,5\n", ""),
    ] {
        assert_eq!(notice(text), expected, "{what}");
    }
}

#[test]
fn a_name_has_no_line_break_although_fields_may() {
    let layout = Layout { line_breaks: true, ..Layout::default() };
    for (text, expected) in [
        (
            "id,price,name\nP,1,\"Desk,\nlarge\"\n",
            "f:2:5: `name` `Desk,\\u{a}large` has U+000A, a control character",
        ),
        (
            "id,name,price\r\nP,\"Desk,\r\nlarge\",1\r\n",
            "f:2:3: `name` `Desk,\\u{d}\\u{a}large` has U+000D, a control character",
        ),
        (
            "id,name,price\nP,\"a,1\nQ,b,2\n",
            "f:2:3: a quoted field is not closed; end it with `\"` (a row of several lines has 1 MB at most)",
        ),
    ] {
        let errors = read_as(text, &layout);
        assert_eq!(errors.unwrap_err().errors[0].to_string(), expected, "{text:?}");
    }
}

#[test]
fn two_quotes_that_are_there_by_mistake_make_no_row_of_others() {
    let text = "id,name,size,price\nP1,Desk,\"10,10\nP2,Lamp,5,5\nP3,Chair,9\",9\n";
    let mut layout = Layout::default();
    layout.columns.ignore("size".to_owned()).unwrap();
    let errors = read_as(text, &layout);
    let errors = errors.unwrap_err().to_string();
    assert!(errors.starts_with("f:2:9: a quoted field is not closed on its line"), "{errors}");
}

#[test]
fn a_name_of_a_column_may_have_line_breaks() {
    let mut layout = Layout { line_breaks: true, ..Layout::default() };
    layout.columns.ignore("net weight".to_owned()).unwrap();
    layout.columns.name("list price=price".parse().unwrap()).unwrap();
    let text = "\n\"id\",\"net\nweight\",\"name\",\"list\nprice\"\nP1,2,Desk,5\nP1,2,Lamp,6\n";
    let read = |text: &str| read_as(text, &layout);
    let errors = read(text).unwrap_err();
    assert_eq!(errors.to_string(), "f:6: product `P1` is already given at f:5");
    let dataset = read(&text.replace("P1,2,Lamp", "P2,2,Lamp")).unwrap();
    assert_eq!(rows(&dataset), ["P1 Desk 5.00", "P2 Lamp 6.00"]);
}
