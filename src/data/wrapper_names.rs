//! The names of members in objects that hold rows.

/// Members that hold one item of `DynamoDB`, in an export or an incremental export.
pub(super) const ITEMS: [&str; 2] = ["Item", "NewImage"];
/// Members that hold rows of any kind, or tables.
pub(super) const ANY_ROWS: [&str; 9] =
    ["Items", "Responses", "RequestItems", "items", "data", "rows", "records", "results", "value"];
/// Members that describe the rows, but that a load does not need.
pub(super) const ABOUT_ROWS: [&str; 15] = [
    "Count",
    "ScannedCount",
    "ConsumedCapacity",
    "Metadata",
    "Keys",
    "OldImage",
    "count",
    "total",
    "page",
    "pages",
    "per_page",
    "page_size",
    "limit",
    "offset",
    "@odata.context",
];
/// Members that show that there are more rows elsewhere.
pub(super) const MORE_TO_COME: [&str; 9] = [
    "LastEvaluatedKey",
    "NextToken",
    "UnprocessedKeys",
    "UnprocessedItems",
    "next",
    "next_token",
    "next_cursor",
    "has_more",
    "@odata.nextLink",
];

/// Whether a list or an object under this name holds rows.
pub(super) fn is_wrapper(name: &str) -> bool {
    ITEMS.contains(&name) || ANY_ROWS.contains(&name) || name == "Keys"
}

/// Whether a member of this name describes the rows beside it.
pub(super) fn tells_of_rows(name: &str) -> bool {
    ABOUT_ROWS.contains(&name) || MORE_TO_COME.contains(&name)
}
