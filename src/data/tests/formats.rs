//! Tests of the variants of each format.

use super::{read_one, rows};

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
