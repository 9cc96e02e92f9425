//! Turns the bytes of a file into text in UTF-8: decompresses them, and decodes the encoding that is named.

use std::io::{self, BufReader, Cursor, Read};

use encoding_rs::{DecoderResult, Encoding};
use flate2::read::MultiGzDecoder;

use super::error::{Fault, Problem};
use super::layout::{Layout, TextEncoding};

const GZIP: &[u8] = b"\x1f\x8b";
const ZIP: &[u8] = b"PK\x03\x04";
/// Never occurs in UTF-8. It stands for bytes that cannot be decoded, so that they are refused on their
/// line like any other text that is not UTF-8.
const NO_TEXT: u8 = 0xff;
/// How many bytes at the start of a file show what it is.
const HEAD_BYTES: usize = 4;
const INPUT_BYTES: usize = 64 * 1024;

/// Returns a file as text, decompressed first if it is gzip.
pub(super) fn unpacked<'a>(
    mut file: impl Read + 'a,
    encoding: TextEncoding,
) -> Result<Box<dyn Read + 'a>, Fault> {
    let head = head(&mut file)?;
    let is_packed = is_gzip(&head);
    let whole = Cursor::new(head).chain(file);
    match is_packed {
        true => decoded(Gunzip::new(whole), encoding),
        false => decoded(whole, encoding),
    }
}

/// Returns bytes as text. A byte order mark takes precedence over the encoding in the layout, and is not
/// part of the text.
pub(super) fn decoded<'a>(
    mut bytes: impl Read + 'a,
    encoding: TextEncoding,
) -> Result<Box<dyn Read + 'a>, Fault> {
    let mut head = head(&mut bytes)?;
    if head.starts_with(ZIP) {
        return Err(Fault::of_file(Problem::Archive));
    }
    let encoding = match Encoding::for_bom(&head) {
        Some((marked, mark)) => {
            head.drain(..mark);
            marked
        }
        None => encoding.get(),
    };
    let whole = Cursor::new(head).chain(bytes);
    if encoding == encoding_rs::UTF_8 {
        return Ok(Box::new(whole));
    }
    Ok(Box::new(Decoded {
        bytes: whole,
        decoder: encoding.new_decoder_without_bom_handling(),
        input: vec![],
        text: vec![],
        taken: 0,
        is_at_end: false,
    }))
}

/// Whether a text in memory begins like JSON, or `None` if it is empty.
#[must_use]
pub fn is_json(bytes: &[u8], layout: &Layout) -> Option<bool> {
    let text = BufReader::new(decoded(bytes, layout.encoding).ok()?);
    let mut bytes = text.bytes().map_while(Result::ok);
    bytes.find(|byte| !byte.is_ascii_whitespace()).map(|first| matches!(first, b'{' | b'['))
}

/// Whether bytes are compressed with gzip.
#[must_use]
pub fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(GZIP)
}

fn head(bytes: &mut impl Read) -> Result<Vec<u8>, Fault> {
    let mut head = vec![];
    let read = bytes.take(HEAD_BYTES as u64).read_to_end(&mut head);
    read.map_err(|error| Fault::of_file(Problem::Unreadable(error)))?;
    Ok(head)
}

/// Decompresses gzip. Its errors name gzip, because the file itself could be read.
pub struct Gunzip<R>(MultiGzDecoder<R>);

impl<R: Read> Gunzip<R> {
    /// Returns a reader that decompresses another.
    pub fn new(packed: R) -> Self {
        Self(MultiGzDecoder::new(packed))
    }
}

impl<R: Read> Read for Gunzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                io::Error::new(error.kind(), "the gzip data is truncated")
            }
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
                io::Error::new(error.kind(), format!("the gzip data is damaged: {error}"))
            }
            _ => error,
        })
    }
}

/// Converts text in another encoding to UTF-8.
struct Decoded<R> {
    bytes: R,
    decoder: encoding_rs::Decoder,
    /// Bytes that are read and not yet decoded.
    input: Vec<u8>,
    /// Decoded text, of which the first `taken` bytes were returned.
    text: Vec<u8>,
    taken: usize,
    is_at_end: bool,
}

impl<R: Read> Decoded<R> {
    fn decode_more(&mut self) -> io::Result<()> {
        if self.input.is_empty() && !self.is_at_end {
            let read = (&mut self.bytes).take(INPUT_BYTES as u64).read_to_end(&mut self.input)?;
            self.is_at_end = read < INPUT_BYTES;
        }
        // Room for the longest form of each byte, and for what the decoder holds back.
        const ROOM: usize = 3;
        self.text.resize((self.input.len() + INPUT_BYTES) * ROOM, 0);
        let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(
            &self.input,
            &mut self.text,
            self.is_at_end,
        );
        self.text.truncate(written);
        self.taken = 0;
        self.input.drain(..read);
        if let DecoderResult::Malformed(..) = result {
            self.text.push(NO_TEXT);
        }
        Ok(())
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.text.len() {
            if self.is_at_end && self.input.is_empty() {
                return Ok(0);
            }
            self.decode_more()?;
        }
        let rest = &self.text[self.taken..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.taken += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn read(bytes: &[u8], encoding: &str) -> Vec<u8> {
        let mut text = vec![];
        let mut source = unpacked(Cursor::new(bytes.to_vec()), encoding.parse().unwrap()).unwrap();
        source.read_to_end(&mut text).unwrap();
        text
    }

    fn utf16(text: &str, is_big: bool) -> Vec<u8> {
        let bytes = |unit: u16| if is_big { unit.to_be_bytes() } else { unit.to_le_bytes() };
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn every_encoding_gives_the_same_text() {
        let text = "Tür 5 €\r\n".repeat(50_000);
        let windows: Vec<u8> = encoding_rs::WINDOWS_1252.encode(&text).0.into_owned();
        let marked = format!("\u{feff}{text}");
        for (what, bytes, encoding) in [
            ("utf-8", text.clone().into_bytes(), "utf-8"),
            ("utf-8 with a mark", marked.clone().into_bytes(), "windows-1252"),
            ("windows-1252", windows, "windows-1252"),
            ("utf-16 named", utf16(&text, false), "utf-16le"),
            ("utf-16 with a mark", utf16(&marked, false), "utf-8"),
            ("utf-16, big first", utf16(&marked, true), "utf-8"),
        ] {
            assert!(read(&bytes, encoding) == text.as_bytes(), "{what}");
            let mut packed = GzEncoder::new(vec![], Compression::fast());
            packed.write_all(&bytes).unwrap();
            assert!(read(&packed.finish().unwrap(), encoding) == text.as_bytes(), "{what}, gzip");
        }
        assert!(read(b"", "utf-16").is_empty());
    }

    #[test]
    fn what_cannot_be_decoded_is_no_text() {
        let mut half = utf16("ab", false);
        half.pop();
        assert_eq!(read(&half, "utf-16le"), b"a\xff");
        assert_eq!(read(&[0x00, 0xd8, b'b', 0], "utf-16le"), b"\xffb", "half a pair");
    }

    #[test]
    fn an_archive_and_damaged_gzip_are_named() {
        let utf8 = TextEncoding::default();
        let archive = unpacked(&b"PK\x03\x04xl/workbook.xml"[..], utf8).err().unwrap();
        assert!(matches!(archive.problem, Problem::Archive));
        let mut packed = GzEncoder::new(vec![], Compression::fast());
        packed.write_all(&[b'x'; 1000]).unwrap();
        let packed = packed.finish().unwrap();
        let cut = packed[..packed.len() - 9].to_vec();
        let mut source = unpacked(Cursor::new(cut), utf8).ok().unwrap();
        let error = source.read_to_end(&mut vec![]).unwrap_err();
        assert_eq!(error.to_string(), "the gzip data is truncated");
    }
}
