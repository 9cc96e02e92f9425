//! Tests which input is refused, and with which message.

use super::read_one;

/// Each text and the error that it gives, including the place.
const BAD: &[(&str, &str)] = &[
    ("", "f: has no rows"),
    ("\n \n", "f: has no rows"),
    ("[]", "f: has no rows"),
    ("id,name,price\n", "f: has no rows"),
    ("{\"products\": []}", "f: has no rows"),
    // Broken JSON.
    ("[\n{\"id\":\"P1\",\n", "f:3:1: the JSON is cut off"),
    ("[{\"id\":\"P1\",\"name\":\"a\",\"price\":1},", "f:1:34: the JSON is cut off"),
    ("{\"id\":\"P1\",\"na", "f:1:14: the JSON is cut off"),
    ("{\n\"products\": [\n{\"PutReq", "f:3:8: the JSON is cut off"),
    ("[} ]", "f:1:2: is not JSON: expected value"),
    ("[] x", "f:1:4: is not JSON: trailing characters"),
    // Objects in place of lists, and images with another key.
    (
        "{\"products\":{\"id\":\"P1\",\"name\":\"a\",\"price\":1}}",
        "f:1: `products` is an object, not a list of rows; write [{…}]",
    ),
    (
        "{\"user_discounts\":{\"A\":{\"P1\":10}}}",
        "f:1: `user_discounts` is an object, not a list of rows; write [{…}]",
    ),
    (
        "{\"Count\":1,\"shop-customers\":{\"A\":{}}}",
        "f:1: `customers` is an object, not a list of rows; write [{…}]",
    ),
    (
        "{\"user_id\":\"A\",\"groups\":[1]}",
        "f:1: `groups` is a list with the number 1, not a list of strings; write \"1\" for it",
    ),
    (
        "{\"price_list\":\"L\",\"users\":[[\"A\"]]}",
        "f:1: `users` is a list with a list, not a list of strings",
    ),
    (
        "{\"user_id\":\"A\",\"groups\":1}",
        "f:1: `groups` is the number 1, not a list of strings; write [\"1\"]",
    ),
    ("{\"groups\":[\"x\"]}", "f:1: `user_id` is missing"),
    ("{\"users\":[\"A\"]}", "f:1: `price_list` is missing"),
    (
        "{\"Keys\":{\"id\":{\"S\":\"P1\"}},\"OldImage\":{\"id\":{\"S\":\"P2\"},\"name\":{\"S\":\"a\"},\"price\":{\"N\":\"1\"}}}",
        "f:1: `OldImage` does not have the `id` of `Keys`, so the export is damaged; export the table again",
    ),
    // Values that are not rows.
    ("[1, \"x\", []]", "f:1:2: is not a JSON object"),
    ("{\"id\":\"P1\",\"name\":\"a\",\"price\":1}\n\n7", "f:3: is not a JSON object"),
    ("[{}]", "f:1: `id` is missing"),
    // If several rows are on one line, the column says which one is meant.
    (
        "[{\"id\":\"P1\",\"name\":\"a\",\"price\":1},{\"name\":\"b\",\"price\":1}]",
        "f:1:35: `id` is missing",
    ),
    ("{\"products\":[{\"id\":\"P1\"}]}", "f:1:14: `name` is missing"),
    // Fields.
    (
        "[\n\n{\"id\":\"P1\",\n\"name\":\"a\",\"prize\":1}]",
        "f:3: unknown field `prize`, did you mean `price`?",
    ),
    ("[{\"colour\":1}]", "f:1: unknown field `colour`"),
    ("[{\"id\":\"P1\",\"name\":\"a\"}]", "f:1: `price` is missing"),
    ("[{\"id\":\"P1\",\"name\":\"a\",\"price\":1,\"value\":1}]", "f:1: `value` is given twice"),
    ("[{\"id\":\"P1\",\"id\":\"P1\",\"name\":\"a\",\"price\":1}]", "f:1: `id` is given twice"),
    (
        "[{\"id\":7,\"name\":\"a\",\"price\":1}]",
        "f:1: `id` is the number 7, not a string; write \"7\"",
    ),
    ("[{\"id\":\"P\",\"name\":null,\"price\":1}]", "f:1: `name` is null, not a string"),
    (
        "[{\"id\":\"P\",\"name\":\"a\",\"price\":true}]",
        "f:1: `price` is a truth value, not a number",
    ),
    ("[{\"id\":\"P\",\"name\":\"a\",\"price\":[1]}]", "f:1: `price` is a list, not a number"),
    ("[{\"id\":\"P\",\"name\":{},\"price\":1}]", "f:1: `name` is an object, not a string"),
    ("[{\"user_id\":\"A\"}]", "f:1: `discounts` is missing"),
    ("[{\"user_id\":\"A\",\"id\":\"P\",\"percentage\":1}]", "f:1: unknown field `id`"),
    ("[{\"product_id\":\"P\",\"percentage\":1}]", "f:1: `user_id` is missing"),
    ("[{\"user_id\":\"A\",\"discounts\":\"x\"}]", "f:1: `discounts` is the string `x`, not a list"),
    // Values.
    ("[{\"id\":\"\",\"name\":\"a\",\"price\":1}]", "f:1: product id is empty"),
    (
        "[{\"id\":\"a\\n\",\"name\":\"a\",\"price\":1}]",
        "f:1: product id \"a\\n\" has U+000A, a control character, as character 2",
    ),
    (
        "user_id,product_id,percentage\nAAA\u{200b},P1,20\n",
        "f:2:1: customer id \"AAA\\u{200b}\" has U+200B, an invisible character, as character 4",
    ),
    (
        "user_id,product_id,percentage\nA,P,1\nBBB,P1\u{ad},20\n",
        "f:3:5: product id \"P1\\u{ad}\" has U+00AD, an invisible character, as character 3",
    ),
    (
        "user_id,product_id,percentage\n\u{feff}CCC,P1,20\n",
        "f:2:1: customer id \"\\u{feff}CCC\" has U+FEFF, an invisible character, as character 1",
    ),
    (
        "[\n{\"user_id\":\"EEE \",\"discounts\":[]}]",
        "f:2: customer id \"EEE \" ends with a blank, U+0020",
    ),
    (
        "[{\"user_id\":\"F\",\"discounts\":[{\"product_id\":\" P1\",\"percentage\":1}]}]",
        "f:1: discount 1: product id \" P1\" begins with a blank, U+0020",
    ),
    (
        "id,name,price\n\"P2\u{a0}\",Lamp,1\n",
        "f:2:1: product id \"P2\\u{a0}\" ends with a blank, U+00A0",
    ),
    (
        "id,name,price\nJose\u{301},a,1\n",
        "f:2:1: product id \"Jose\\u{301}\" is not in Unicode's form NFC: it has U+0065 U+0301 where NFC has U+00E9",
    ),
    ("[{\"id\":\"P\",\"name\":\" \",\"price\":1}]", "f:1: `name` is empty"),
    (
        "[{\"id\":\"P\",\"name\":\"a\\u001b\",\"price\":1}]",
        "f:1: `name` `a\\u{1b}` has U+001B, a control character",
    ),
    (
        "[{\"id\":\"P\",\"name\":\"\\ud800\",\"price\":1}]",
        "f:1: is not JSON: unexpected end of hex escape",
    ),
    (
        "[{\"id\":\"P\",\"name\":\"a\",\"price\":1.001}]",
        "f:1: price `1.001` has more than 2 decimals (currency USD)",
    ),
    ("[{\"id\":\"P\",\"name\":\"a\",\"price\":-1}]", "f:1: price `-1` is negative"),
    (
        "[{\"id\":\"P\",\"name\":\"a\",\"price\":1e308}]",
        "f:1: price `1e308` is out of range (currency USD)",
    ),
    (
        "[{\"id\":\"P\",\"name\":\"a\",\"price\":\"NaN\"}]",
        "f:1: price `NaN` is not a decimal number (currency USD)",
    ),
    // A control character in a number does not end the line of its error.
    (
        "[{\"id\":\"P\",\"name\":\"a\",\"price\":\"12\\n3\"}]",
        "f:1: price `12\\u{a}3` is not a decimal number (currency USD)",
    ),
    (
        "[{\"user_id\":\"A\",\"product_id\":\"P\",\"percentage\":\"1\\u001b[2J\"}]",
        "f:1: percentage `1\\u{1b}[2J` is not a decimal number",
    ),
    (
        "[{\"price_list\":\"L\",\"amount\":\"1\\r2\"}]",
        "f:1: `amount` `1\\u{d}2` is not a decimal number",
    ),
    (
        "[{\"price_list\":\"L\",\"min_quantity\":\"1\\n2\",\"price\":1}]",
        "f:1: `min_quantity`: quantity `1\\u{a}2` is not a decimal number",
    ),
    ("[{\"user_id\":\"\",\"discounts\":[]}]", "f:1: customer id is empty"),
    (
        "[{\"user_id\":\"A\",\"product_id\":\"P\",\"percentage\":100.5}]",
        "f:1: percentage `100.5` is not between -1000 (a surcharge) and 100 %",
    ),
    (
        "[{\"user_id\":\"A\",\"discounts\":[{\"product_id\":\"P\",\"percentage\":1},5]}]",
        "f:1: discount 2: is not a JSON object",
    ),
    (
        "[{\"user_id\":\"A\",\"discounts\":[{\"product\":\"P\",\"percentage\":1}]}]",
        "f:1: discount 1: unknown field `product`, did you mean `product_id`?",
    ),
    // Batch writes.
    ("{\"prodcts\":[1]}", "f:1:12: unknown table `prodcts`, did you mean `products`?"),
    ("{\n\"myproducts\":\n[1]}", "f:3: unknown table `myproducts`, did you mean `products`?"),
    (
        "{\n\"products\":[\n{\"DeleteRequest\":{}}]}",
        "f:3: is a deletion without the deleted item; export with ExportViewType=NEW_AND_OLD_IMAGES, or load all rows that should stay, with --prune",
    ),
    ("{\"products\":[{\"PutRequest\":{}}]}", "f:1:14: `Item` is missing"),
    (
        "{\"products\":[\n{\"PutRequest\":{\"Item\":{\"id\":{\"N\":\"1\"},\"name\":{\"S\":\"a\"},\"value\":{\"N\":\"x\"}}}}]}",
        "f:2: price `x` is not a decimal number (currency USD)",
    ),
    (
        "{\"products\":[{\"PutRequest\":{\"Item\":{\"id\":\"P\",\"name\":{\"S\":\"a\"},\"value\":{\"N\":\"1\"}}}}]}",
        "f:1:14: `id` is no attribute of type S, N or L, not a string",
    ),
    (
        "{\"products\":[{\"PutRequest\":{\"Item\":{\"user_id\":{\"S\":\"A\"}}}}]}",
        "f:1:14: unknown field `user_id`",
    ),
    (
        "{\"user_discounts\":[{\"PutRequest\":{\"Item\":{\"user_id\":{\"S\":\"A\"},\"discounts\":{\"L\":[{\"product_id\":1}]}}}}]}",
        "f:1:20: discount 1: is not a JSON object",
    ),
    // CSV.
    (
        "id;name;price\n",
        "f:1: the header is one column, `id;name;price`, because the delimiter is comma; load the file with --delimiter semicolon; a product has the columns id, name, price, category, floor, min, step, max",
    ),
    (
        "user_id\tproduct_id\tpercentage\n",
        "f:1: the header is one column, `user_id\\u{9}product_id\\u{9}percentage`, because the delimiter is comma; load the file with --delimiter tab; a row of a customer's own list has the columns user_id, product_id, percentage, price, amount, min_quantity",
    ),
    (
        "\"id\";\"name, long\";\"price\"\n\"P\";\"a\";1\n",
        "f:1: the fields of the header seem to be separated by `;`, and the delimiter is comma; load the file with --delimiter semicolon; a product has the columns id, name, price, category, floor, min, step, max",
    ),
    (
        "\"user_id\"\t\"groups\"\n",
        "f:1: the fields of the header seem to be separated by tabs, and the delimiter is comma; load the file with --delimiter tab; a customer has the columns user_id, currency, groups",
    ),
    (
        "\"id\"x;\"name\"\n",
        "f:1:1: a quoted field does not end in `\"` and a delimiter or the end of a line; write `\"\"` for a quote inside it",
    ),
    (
        "\nID,name,price\n",
        "f:2: unknown column `ID`, did you mean `id`?; --map ID=FIELD reads one as a field of ocache, --ignore ID leaves it out; a product has the columns id, name, price, category, floor, min, step, max",
    ),
    (
        "id,name,price\nP,a,\"1,50\"\n",
        "f:2:5: price `1,50` is not a decimal number (currency USD); if `,` is the decimal separator, load the file with --decimal-comma",
    ),
    (
        "id,name,price\nP,a,#REF!\n",
        "f:2:5: `#REF!` is the result of a formula that failed; fix it in the spreadsheet",
    ),
    (
        "id,name,price\n4.00638E+12,a,1\n",
        "f:2:1: id `4.00638E+12` is a long number that a spreadsheet has shortened; format its column as text and export it again",
    ),
    (
        "id,name,price,\nP,a,1,x\n",
        "f:2:7: column 4 contains `x`, and the header has no name for it",
    ),
    (
        "PK\u{3}\u{4}xl/workbook.xml",
        "f: is a ZIP archive, as .xlsx and .ods files are; save the table as CSV",
    ),
    ("id,name\nP,a\n", "f:1: `price` is missing"),
    ("id,name,price,price\n", "f:1: `price` is given twice"),
    ("id,name,price\nP\n", "f:2: has 1 field, the header has 3"),
    ("id,name,price\nP,a\n", "f:2: has 2 fields, the header has 3"),
    ("id,name,price\n\nP,a,1,x\n", "f:3:7: has 4 fields, the header has 3"),
    (
        "id,price,name\nP,1,\"a\nQ,2,b\n",
        "f:2:5: a quoted field is not closed on its line; end it with `\"`, or, if fields have line breaks, load the file with --line-breaks",
    ),
    (
        "id,name,price\nP,\"a\"b,1\n",
        "f:2:3: a quoted field does not end in `\"` and a delimiter or the end of a line; write `\"\"` for a quote inside it",
    ),
    (
        "id,name,\"price\n",
        "f:1:9: a quoted field is not closed on its line; end it with `\"`, or, if fields have line breaks, load the file with --line-breaks",
    ),
    ("id,name,price\nP,a,\n", "f:2:5: price `` is not a decimal number (currency USD)"),
    // Products with further fields.
    (
        "[{\"id\":\"P\",\"name\":\"a\",\"prices\":{\"EUR\":\"1\",\"GBX\":\"1\"}}]",
        "f:1: `prices`: `GBX` is not a currency code of ISO 4217, such as USD",
    ),
    (
        "[{\"id\":\"P\",\"name\":\"a\",\"prices\":{\"JPY\":\"1.5\"}}]",
        "f:1: `prices.JPY`: price `1.5` has more than 0 decimals (currency JPY)",
    ),
    ("[{\"id\":\"P\",\"name\":\"a\",\"prices\":{}}]", "f:1: `price` is missing"),
    (
        "[{\"id\":\"P\",\"name\":\"a\",\"price\":1,\"prices\":{\"USD\":2}}]",
        "f:1: `price` is given twice for USD",
    ),
    (
        "[{\"id\":\"P\",\"name\":\"a\",\"prices\":[1]}]",
        "f:1: `prices` is a list, not an object of amounts by currency",
    ),
    ("id,name,price.EUX\n", "f:1: `EUX` is not a currency code of ISO 4217, such as USD"),
    ("id,name,price.EUR\nP,a,\n", "f:2: `price` is missing"),
    ("id,name,price,floor\nP,a,1,-1\n", "f:2:7: `floor`: price `-1` is negative"),
    (
        "id,name,price,category\nP,a,1,tools//drills\n",
        "f:2:7: category `tools//drills` has an empty step; write it like `tools/drills`",
    ),
    (
        "[{\"id\":\"P\",\"name\":\"a\",\"price\":1,\"category\":\"/a\\nb\"}]",
        "f:1: category `/a\\u{a}b` has an empty step; write it like `tools/drills`",
    ),
    (
        "id,name,price,step\nP,a,1,0\n",
        "f:2:7: `step` `0` is not positive; give a number above 0, such as 1 or 0.5, or leave it out",
    ),
    (
        "id,name,price,min,max\nP,a,1,5,4\n",
        "f:2: product `P`: min 5 is more than max 4; give a min of at most 4, or a max of at least 5",
    ),
    (
        "id,name,price,min,step\nP,a,1,5,2\n",
        "f:2: product `P`: min 5 is not a multiple of step 2; 4 and 6 are",
    ),
    (
        "id,name,price,step,max\nP,a,1,0.2,0.5\n",
        "f:2: product `P`: max 0.5 is not a multiple of step 0.2; 0.4 and 0.6 are",
    ),
    (
        "id,name,price,step,max\nP,a,1,5,2\n",
        "f:2: product `P`: max 2 is not a multiple of step 5; 5 is",
    ),
    // Customers.
    (
        "user_id,currency,groups\nA,DM,\n",
        "f:2:3: `DM` is not a currency code of ISO 4217, such as USD",
    ),
    ("user_id,groups\nA,gold||de\n", "f:2:3: `groups`: group is empty"),
    (
        "[{\"user_id\":\"A\",\"groups\":\"gold\"}]",
        "f:1: `groups` is the string `gold`, not a list of strings; write [\"gold\"]",
    ),
    (
        "[{\"user_id\":\"A\",\"groups\":[7]}]",
        "f:1: `groups` is a list with the number 7, not a list of strings; write \"7\" for it",
    ),
    // Price lists.
    (
        "[{\"price_list\":7,\"everyone\":true}]",
        "f:1: `price_list` is the number 7, not a string; write \"7\"",
    ),
    (
        "[{\"price_list\":\"L\",\"everyone\":\"yes\"}]",
        "f:1: `everyone` is the string `yes`, not true or false",
    ),
    (
        "price_list,priority\nL,1.5\n",
        "f:2:3: `priority` `1.5` is not a whole number from -2147483648 to 2147483647",
    ),
    (
        "price_list,from,until\nL,2026-04-02T00:00:00Z,2026-04-01T00:00:00Z\n",
        "f:2: price list `L`: until 2026-04-01T00:00:00.000Z is not after from 2026-04-02T00:00:00.000Z; give it a later `until`, or leave `until` out",
    ),
    (
        "price_list,from\nL,1969-12-01T00:00:00Z\n",
        "f:2:3: `from` `1969-12-01T00:00:00Z` is before 1970 (it is 1969-12-01T00:00:00.000Z); without `from` the list is in force from the start",
    ),
    (
        "price_list,until,time_zone\nL,1500-12-01,Europe/Berlin\n",
        "f:2:3: `until` `1500-12-01` is before 1970 (it is 1500-11-30T23:06:32.000Z); without `until` the list does not end",
    ),
    (
        "price_list,from\nL,2026-04-01\n",
        "f:2:3: `from` `2026-04-01` has no time zone; name one in `time_zone`, such as Europe/Berlin, or write an instant, such as 2026-04-01T00:00:00Z",
    ),
    (
        "price_list,from,time_zone\nL,2026-04-01,Europe/Berln\n",
        "f:2:14: `time_zone` `Europe/Berln` is not a time zone of the IANA database, such as Europe/Berlin",
    ),
    // Prices.
    ("price_list,product_id\nL,P\n", "f:1: `percentage`, `price` or `amount` is missing"),
    (
        "price_list,product_id,price,percentage\nL,P,,\n",
        "f:2: `percentage`, `price` or `amount` is missing",
    ),
    (
        "price_list,product_id,price,percentage\nL,P,1,5\n",
        "f:2: has `percentage` and `price`; a row has one of `percentage`, `price` and `amount`",
    ),
    (
        "price_list,product_id,category,percentage\nL,P,tools,5\n",
        "f:2: has `product_id` and `category`; a row is for a product, a category, or neither",
    ),
    (
        "price_list,percentage\nL,101\n",
        "f:2:3: percentage `101` is not between -1000 (a surcharge) and 100 %",
    ),
    ("price_list,price\nL,ten\n", "f:2:3: `price` `ten` is not a decimal number"),
    (
        "price_list,amount\nL,-1\n",
        "f:2:3: `amount` `-1` is negative; for a surcharge use a negative `percentage`",
    ),
    (
        "price_list,min_quantity,price\nL,-1,1\n",
        "f:2:3: `min_quantity`: quantity `-1` is not positive",
    ),
    (
        "price_list,priority,product_id,price\n",
        "f:1: is a price, and `priority` is a field of a price list; give each a row of its own",
    ),
    (
        "[{\"user_id\":\"A\",\"currency\":\"EUR\",\"product_id\":\"P\",\"price\":1}]",
        "f:1: is a row of a customer's own list, and `currency` is a field of a customer; give each a row of its own",
    ),
    (
        "{\"price_lists\":[\n{\"price_list\":\"L\",\"category\":\"x\"}]}",
        "f:2: is a price list, and `category` is a field of a price; give each a row of its own",
    ),
    (
        "{\"prices\":[{\"user_id\":\"A\",\"product_id\":\"P\",\"price\":1}]}",
        "f:1:12: unknown field `user_id`",
    ),
    // Repeated rows on one line.
    (
        "[{\"id\":\"P\",\"name\":\"a\",\"price\":1},{\"id\":\"P\",\"name\":\"a\",\"price\":1}]",
        "f:1:34: product `P` is already given at f:1:2",
    ),
    (
        "[{\"user_id\":\"A\",\"groups\":[\"x\"]},{\"user_id\":\"A\",\"groups\":[\"x\"]}]",
        "f:1:33: customer `A` is already given at f:1:2",
    ),
    (
        "[{\"price_list\":\"L\",\"everyone\":true},{\"price_list\":\"L\",\"everyone\":true}]",
        "f:1:37: price list `L` is already given at f:1:2",
    ),
    (
        "[{\"price_list\":\"L\",\"category\":\"tools\",\"price\":1},{\"price_list\":\"L\",\"category\":\"tools\",\"price\":1}]",
        "f:1:50: price list `L` already has a row for category `tools` with min_quantity 0 at f:1:2",
    ),
    (
        "[{\"user_id\":\"A\",\"product_id\":\"P\",\"percentage\":1},{\"user_id\":\"A\",\"product_id\":\"P\",\"percentage\":1}]",
        "f:1:50: customer `A` already has a discount for product `P` at f:1:2",
    ),
    (
        "[{\"user_id\":\"A\",\"discounts\":[]},{\"user_id\":\"A\",\"discounts\":[]}]",
        "f:1:33: discounts of customer `A` are already given at f:1:2",
    ),
    // Repeated rows.
    ("user_id,groups\nA,x\nA,y\n", "f:3: customer `A` is already given at f:2"),
    ("price_list,everyone\nL,true\nL,true\n", "f:3: price list `L` is already given at f:2"),
    (
        "price_list,category,min_quantity,price\nL,tools,10,1\nL,tools,5,2\nL,tools,10.0,1\n",
        "f:4: price list `L` already has a row for category `tools` with min_quantity 10 at f:2",
    ),
    (
        "user_id,product_id,min_quantity,price\nA,P,10,1\nA,P,10,2\n",
        "f:3: customer `A` already has a row for product `P` with min_quantity 10 at f:2",
    ),
    ("id,name,price\nP,a,1\nQ,b,1\nP,c,1\n", "f:4: product `P` is already given at f:2"),
    (
        "[{\"user_id\":\"A\",\"discounts\":[]},\n{\"user_id\":\"A\",\"discounts\":[]}]",
        "f:2: discounts of customer `A` are already given at f:1",
    ),
    (
        "{\"user_id\":\"A\",\"discounts\":[]}\n{\"user_id\":\"A\",\"product_id\":\"P\",\"percentage\":1}",
        "f:2: discounts of customer `A` are already given at f:1",
    ),
    (
        "user_id,product_id,percentage\nA,P,1\nB,P,1\nA,P,1\n",
        "f:4: customer `A` already has a discount for product `P` at f:2",
    ),
    (
        "[\n{\"user_id\":\"A\",\"discounts\":[{\"product_id\":\"P\",\"percentage\":1},{\"product_id\":\"P\",\"percentage\":1}]}]",
        "f:2: customer `A` already has a discount for product `P` at f:2",
    ),
];

#[test]
fn bad_rows_are_named_with_their_line() {
    let mut failures = vec![];
    for (text, expected) in BAD {
        let got = match read_one(text) {
            Ok(dataset) => format!("{dataset:?}"),
            Err(errors) => errors.errors[0].to_string(),
        };
        if got != *expected {
            failures.push(format!("{text}\n  gives    {got}\n  and not  {expected}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn rows_may_be_inside_only_so_many_objects() {
    let inside = |levels: usize| {
        let row = "[{\"id\":\"P1\",\"name\":\"a\",\"price\":1}]";
        let (open, close) = ("{\"data\":".repeat(levels), "}".repeat(levels));
        read_one(format!("{open}{row}{close}"))
    };
    assert!(inside(16).is_ok());
    // More levels than the stack of a thread holds are refused too.
    for levels in [17, 100_000] {
        let error = inside(levels).unwrap_err().errors[0].to_string();
        assert_eq!(error, "f:1:129: is inside more than 16 objects");
    }
}
