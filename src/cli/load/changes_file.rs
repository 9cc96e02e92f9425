//! The file of `--changes`: every price that a load would change.

use std::fs::File;
use std::io::{self, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::cli::failure::{ExitCode, Failure, Result};
use crate::cli::named_file::unwritable;
use crate::data::{Amounts, MovedPrice, MovedPrices};

/// The columns of a CSV file.
const COLUMNS: [&str; 6] = ["customer", "product", "min_quantity", "before", "after", "currency"];

/// A file that is written under another name, and renamed when it is complete.
#[derive(Debug)]
pub(super) struct ChangesFile {
    path: PathBuf,
    partial: PathBuf,
    form: Form,
    unit_decimals: u8,
}

/// The format. Each writer has a buffer of its own.
#[derive(Debug)]
enum Form {
    Csv(Box<csv::Writer<File>>),
    Ndjson(BufWriter<File>),
}

impl ChangesFile {
    pub(super) fn create(path: &Path) -> Result<Self> {
        let extension = path.extension().and_then(|extension| extension.to_str());
        let form: fn(File) -> Form = match extension.map(str::to_ascii_lowercase).as_deref() {
            Some("csv") => |file| Form::Csv(Box::new(csv::Writer::from_writer(file))),
            Some("ndjson" | "jsonl") => |file| Form::Ndjson(BufWriter::new(file)),
            _ => {
                let message = format!("{} is neither a .csv nor an .ndjson", path.display());
                return Err(Failure::new(ExitCode::Usage, message).hint("--changes changes.csv"));
            }
        };
        // The name is hidden, so that nobody mistakes an incomplete file for a complete one.
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let partial = path.with_file_name(format!(".{name}.partial"));
        let file = File::create(&partial).map_err(|error| unwritable(path, &error))?;
        Ok(Self { path: path.to_owned(), partial, form: form(file), unit_decimals: 0 })
    }

    /// Sets how many decimals amounts have beyond those of their currency.
    pub(super) const fn set_unit_decimals(&mut self, unit_decimals: u8) {
        self.unit_decimals = unit_decimals;
    }

    /// Completes the file and gives it its name.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.form.flush()?;
        std::fs::rename(&self.partial, &self.path)
    }
}

impl Form {
    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Csv(writer) => writer.flush(),
            Self::Ndjson(file) => file.flush(),
        }
    }

    fn file(&self) -> &File {
        match self {
            Self::Csv(writer) => writer.get_ref(),
            Self::Ndjson(file) => file.get_ref(),
        }
    }
}

impl Drop for ChangesFile {
    fn drop(&mut self) {
        // After the rename there is no partial file.
        drop(std::fs::remove_file(&self.partial));
    }
}

impl MovedPrices for ChangesFile {
    fn restart(&mut self) -> io::Result<()> {
        // Text that is still in the buffer would be written after the file is emptied.
        self.form.flush()?;
        let mut file = self.form.file();
        file.rewind()?;
        file.set_len(0)?;
        match &mut self.form {
            Form::Csv(writer) => writer.write_record(COLUMNS).map_err(io::Error::other),
            Form::Ndjson(_) => Ok(()),
        }
    }

    fn moved(&mut self, price: &MovedPrice) -> io::Result<()> {
        let MovedPrice { customer, product, min_quantity, before, after, currency, .. } = price;
        let amounts = Amounts { currency: *currency, unit_decimals: self.unit_decimals };
        let [before, after] = [before, after].map(|price| price.map(|price| amounts.shown(price)));
        match &mut self.form {
            Form::Csv(writer) => {
                let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
                let (min_quantity, currency) = (min_quantity.to_string(), currency.to_string());
                let row = [
                    customer.as_str(),
                    product.as_str(),
                    &min_quantity,
                    &before,
                    &after,
                    &currency,
                ];
                writer.write_record(row).map_err(io::Error::other)
            }
            Form::Ndjson(file) => {
                let row = json!({
                    "customer": customer, "product": product, "currency": currency,
                    "min_quantity": min_quantity.to_string(), "before": before, "after": after,
                });
                writeln!(file, "{row}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(product: &str, before: Option<i64>, after: Option<i64>) -> MovedPrice {
        let money = |minor: Option<i64>| minor.map(crate::pricing::Money::from_minor);
        MovedPrice {
            customer: "A, B".parse().unwrap(),
            product: product.parse().unwrap(),
            min_quantity: "10".parse().unwrap(),
            before: money(before),
            after: money(after),
            floor: None,
            currency: crate::pricing::Currency::USD,
        }
    }

    #[test]
    fn a_file_has_each_price_once_and_appears_whole() {
        let folder = tempfile::tempdir().unwrap();
        for (name, expected) in [
            (
                "c.csv",
                "customer,product,min_quantity,before,after,currency\n\
                 \"A, B\",P1,10,10.00,9.995,USD\n\"A, B\",P2,10,,1.00,USD\n",
            ),
            (
                "c.ndjson",
                "{\"after\":\"9.995\",\"before\":\"10.00\",\"currency\":\"USD\",\"customer\":\"A, B\",\"min_quantity\":\"10\",\"product\":\"P1\"}\n\
                 {\"after\":\"1.00\",\"before\":null,\"currency\":\"USD\",\"customer\":\"A, B\",\"min_quantity\":\"10\",\"product\":\"P2\"}\n",
            ),
        ] {
            let path = folder.path().join(name);
            let mut file = ChangesFile::create(&path).unwrap();
            file.set_unit_decimals(3);
            file.restart().unwrap();
            file.moved(&price("P9", Some(1), None)).unwrap();
            file.restart().unwrap();
            file.moved(&price("P1", Some(1_000_000), Some(999_500))).unwrap();
            file.moved(&price("P2", None, Some(100_000))).unwrap();
            assert!(!path.exists());
            file.finish().unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "no partial file stays");
    }

    #[test]
    fn a_file_of_another_form_is_refused() {
        for name in ["changes", "changes.xlsx"] {
            let failure = ChangesFile::create(Path::new(name)).unwrap_err();
            assert_eq!(failure.code(), ExitCode::Usage);
        }
    }
}
