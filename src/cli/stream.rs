//! Data that is printed while it is read, because there may be more of it than fits in memory.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Map, Value};

use super::failure::Failure;
use super::output::Output;
use crate::model::escape_json;

/// So much is gathered before it is printed.
const GATHERED_BYTES: usize = 64 << 10;
/// The indentation of the members of an object, and of the items of a list in it.
const MEMBER: &str = "  ";
const ITEM: &str = "    ";

/// A JSON object that is printed member by member, one of them a list of any length. It reads the
/// same as if it had been printed at once.
pub(super) struct ObjectStream<'a> {
    output: &'a Output,
    is_indented: bool,
    text: String,
    is_first_item: bool,
    is_heard: bool,
}

impl<'a> ObjectStream<'a> {
    /// Begins with these members, and then the list.
    pub(super) fn begin(
        output: &'a Output,
        members: &Map<String, Value>,
        list: &str,
    ) -> Result<Self, Failure> {
        let is_indented = output.is_indented();
        let text = String::from("{");
        let mut stream = Self { output, is_indented, text, is_first_item: true, is_heard: true };
        for (name, value) in members {
            stream.member(name, value)?;
            stream.text.push(',');
        }
        stream.name(list);
        stream.text.push('[');
        Ok(stream)
    }

    /// Adds an item to the list.
    pub(super) fn item(&mut self, item: &impl Serialize) -> Result<(), Failure> {
        if !std::mem::replace(&mut self.is_first_item, false) {
            self.text.push(',');
        }
        self.new_line(ITEM);
        self.value(item, ITEM)?;
        if self.text.len() >= GATHERED_BYTES { self.flush() } else { Ok(()) }
    }

    /// Whether anybody still reads what is printed.
    pub(super) const fn is_heard(&self) -> bool {
        self.is_heard
    }

    /// Prints what was added so far.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        self.is_heard = self.output.print(self.text.as_bytes())?;
        self.text.clear();
        Ok(())
    }

    /// Ends the list, and the object with these members.
    pub(super) fn end(mut self, members: &Map<String, Value>) -> Result<(), Failure> {
        if !self.is_first_item {
            self.new_line(MEMBER);
        }
        self.text.push(']');
        for (name, value) in members {
            self.text.push(',');
            self.member(name, value)?;
        }
        self.new_line("");
        self.text.push_str("}\n");
        self.flush()
    }

    fn member(&mut self, name: &str, value: &Value) -> Result<(), Failure> {
        self.name(name);
        self.value(value, MEMBER)
    }

    fn name(&mut self, name: &str) {
        self.new_line(MEMBER);
        // Names of members need no escapes.
        let space = if self.is_indented { " " } else { "" };
        let _ = write!(self.text, "\"{name}\":{space}");
    }

    fn new_line(&mut self, indentation: &str) {
        if self.is_indented {
            self.text.push('\n');
            self.text.push_str(indentation);
        }
    }

    fn value(&mut self, value: &impl Serialize, indentation: &str) -> Result<(), Failure> {
        if self.is_indented {
            let text = serde_json::to_string_pretty(value).map_err(Failure::internal)?;
            let text = escape_json(&text);
            // Text has no line breaks of its own: they are escaped.
            self.text.push_str(&text.replace('\n', &format!("\n{indentation}")));
        } else {
            let text = serde_json::to_string(value).map_err(Failure::internal)?;
            self.text.push_str(&escape_json(&text));
        }
        Ok(())
    }
}

/// A JSON array that is printed item by item; with NDJSON, a line for each item. It reads the same as if
/// it had been printed at once.
pub(super) struct ListStream<'a> {
    output: &'a Output,
    is_indented: bool,
    text: String,
    is_first_item: bool,
    is_heard: bool,
}

impl<'a> ListStream<'a> {
    pub(super) fn begin(output: &'a Output) -> Self {
        let is_indented = output.is_indented();
        let text = String::from(if is_indented { "[" } else { "" });
        Self { output, is_indented, text, is_first_item: true, is_heard: true }
    }

    /// Whether anybody still reads what is printed.
    pub(super) const fn is_heard(&self) -> bool {
        self.is_heard
    }

    /// Adds an item.
    pub(super) fn item(&mut self, item: &impl Serialize) -> Result<(), Failure> {
        let is_first = std::mem::replace(&mut self.is_first_item, false);
        if self.is_indented {
            let text = serde_json::to_string_pretty(item).map_err(Failure::internal)?;
            self.text.push_str(if is_first { "\n" } else { ",\n" });
            self.text.push_str(MEMBER);
            // Text has no line breaks of its own: they are escaped.
            self.text.push_str(&escape_json(&text).replace('\n', &format!("\n{MEMBER}")));
        } else {
            let text = serde_json::to_string(item).map_err(Failure::internal)?;
            self.text.push_str(&escape_json(&text));
            self.text.push('\n');
        }
        if self.text.len() >= GATHERED_BYTES { self.flush() } else { Ok(()) }
    }

    /// Ends the array.
    pub(super) fn end(mut self) -> Result<(), Failure> {
        if self.is_indented {
            self.text.push_str(if self.is_first_item { "]\n" } else { "\n]\n" });
        }
        self.flush()
    }

    fn flush(&mut self) -> Result<(), Failure> {
        if !self.text.is_empty() {
            self.is_heard = self.output.print(self.text.as_bytes())?;
            self.text.clear();
        }
        Ok(())
    }
}

/// The members of a JSON object.
pub(super) fn members(object: Value) -> Map<String, Value> {
    match object {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
