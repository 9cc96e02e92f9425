//! Prints data while it is read, because there may be more than fits in memory.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Map, Value};

use super::failure::{Failure, Result};
use super::output::Output;
use crate::model::escape_json;

/// The size at which gathered text is printed.
const GATHERED_BYTES: usize = 64 << 10;
/// The indentation of the members of an object, and of the items of a list in it.
const MEMBER: &str = "  ";
const ITEM: &str = "    ";

/// JSON that is printed while it is made.
struct JsonPieces<'a> {
    output: &'a Output,
    is_indented: bool,
    text: String,
    is_first_item: bool,
    is_heard: bool,
}

impl<'a> JsonPieces<'a> {
    fn begin(output: &'a Output, text: &str) -> Self {
        let is_indented = output.is_indented();
        Self { output, is_indented, text: text.to_owned(), is_first_item: true, is_heard: true }
    }

    /// Adds an item to a list.
    fn item(&mut self, item: &impl Serialize, indentation: &str) -> Result<()> {
        if !std::mem::replace(&mut self.is_first_item, false) {
            self.text.push(',');
        }
        self.new_line(indentation);
        self.value(item, indentation)?;
        self.flush_if_full()
    }

    /// Ends a list.
    fn end_list(&mut self, indentation: &str) {
        if !self.is_first_item {
            self.new_line(indentation);
        }
        self.text.push(']');
    }

    fn new_line(&mut self, indentation: &str) {
        if self.is_indented {
            self.text.push('\n');
            self.text.push_str(indentation);
        }
    }

    fn value(&mut self, value: &impl Serialize, indentation: &str) -> Result<()> {
        if self.is_indented {
            let text = serde_json::to_string_pretty(value).map_err(Failure::internal)?;
            let text = escape_json(&text);
            // Line breaks inside strings are escaped, so each one here separates lines of JSON.
            self.text.push_str(&text.replace('\n', &format!("\n{indentation}")));
        } else {
            let text = serde_json::to_string(value).map_err(Failure::internal)?;
            self.text.push_str(&escape_json(&text));
        }
        Ok(())
    }

    fn flush_if_full(&mut self) -> Result<()> {
        if self.text.len() >= GATHERED_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        if !self.text.is_empty() {
            self.is_heard = self.output.print(self.text.as_bytes())?;
            self.text.clear();
        }
        Ok(())
    }
}

/// A JSON object that is printed in pieces. One of its members is a list of any length. The result is the
/// same as if it had been printed at once.
pub(super) struct ObjectStream<'a>(JsonPieces<'a>);

impl<'a> ObjectStream<'a> {
    /// Begins the object with these members, and then the list.
    pub(super) fn begin(
        output: &'a Output,
        members: &Map<String, Value>,
        list: &str,
    ) -> Result<Self> {
        let mut stream = Self(JsonPieces::begin(output, "{"));
        for (name, value) in members {
            stream.member(name, value)?;
            stream.0.text.push(',');
        }
        stream.name(list);
        stream.0.text.push('[');
        Ok(stream)
    }

    /// Adds an item to the list.
    pub(super) fn item(&mut self, item: &impl Serialize) -> Result<()> {
        self.0.item(item, ITEM)
    }

    /// Whether anybody still reads what is printed.
    pub(super) const fn is_heard(&self) -> bool {
        self.0.is_heard
    }

    /// Prints what was added so far.
    pub(super) fn flush(&mut self) -> Result<()> {
        self.0.flush()
    }

    /// Ends the list, then the object with these members.
    pub(super) fn end(mut self, members: &Map<String, Value>) -> Result<()> {
        self.0.end_list(MEMBER);
        for (name, value) in members {
            self.0.text.push(',');
            self.member(name, value)?;
        }
        self.0.new_line("");
        self.0.text.push_str("}\n");
        self.0.flush()
    }

    fn member(&mut self, name: &str, value: &Value) -> Result<()> {
        self.name(name);
        self.0.value(value, MEMBER)
    }

    fn name(&mut self, name: &str) {
        self.0.new_line(MEMBER);
        // The names of members need no escapes.
        let space = if self.0.is_indented { " " } else { "" };
        let _ = write!(self.0.text, "\"{name}\":{space}");
    }
}

/// A JSON array that is printed item by item; in NDJSON, a line for each item. The result is the same as
/// if it had been printed at once.
pub(super) struct ListStream<'a>(JsonPieces<'a>);

impl<'a> ListStream<'a> {
    pub(super) fn begin(output: &'a Output) -> Self {
        Self(JsonPieces::begin(output, if output.is_indented() { "[" } else { "" }))
    }

    /// Whether anybody still reads what is printed.
    pub(super) const fn is_heard(&self) -> bool {
        self.0.is_heard
    }

    /// Adds an item.
    pub(super) fn item(&mut self, item: &impl Serialize) -> Result<()> {
        if self.0.is_indented {
            return self.0.item(item, MEMBER);
        }
        self.0.value(item, "")?;
        self.0.text.push('\n');
        self.0.flush_if_full()
    }

    /// Ends the array.
    pub(super) fn end(mut self) -> Result<()> {
        if self.0.is_indented {
            self.0.end_list("");
            self.0.text.push('\n');
        }
        self.0.flush()
    }
}

/// Returns the members of a JSON object.
pub(super) fn members(object: Value) -> Map<String, Value> {
    match object {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
