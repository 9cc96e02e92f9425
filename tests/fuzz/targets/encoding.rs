//! Encodes packed formats for the targets. It is written from their descriptions, without ocache's own
//! code.

/// Writes a number, seven bits a byte, the lowest first.
pub fn varint(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let more = value >> 7;
        out.push((value & 0x7f) as u8 | if more > 0 { 0x80 } else { 0 });
        if more == 0 {
            return;
        }
        value = more;
    }
}

/// Writes a signed number: 0, -1, 1, -2, 2 and so on become 0, 1, 2, 3, 4.
pub fn signed(out: &mut Vec<u8>, value: i64) {
    let twice = i128::from(value) * 2;
    varint(out, if twice < 0 { (-twice - 1) as u64 } else { twice as u64 });
}

/// Writes the length of a text, and then the text.
pub fn text(out: &mut Vec<u8>, text: &str) {
    bytes(out, text.as_bytes());
}

/// Writes the number of bytes, and then the bytes.
pub fn bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Returns sealed bytes of version 1.
pub fn seal(fields: &[u8]) -> Vec<u8> {
    sealed(1, fields)
}

/// Returns sealed bytes of a version.
pub fn sealed(version: u8, fields: &[u8]) -> Vec<u8> {
    let mut sealed = vec![version];
    sealed.extend_from_slice(fields);
    sealed.extend(crc32fast::hash(&sealed).to_le_bytes());
    sealed
}

/// Returns the end of a part of own rows: FNV-1a of its columns.
pub fn fnv(bytes: &[u8]) -> [u8; 4] {
    let sum = bytes
        .iter()
        .fold(0x811c_9dc5_u32, |sum, byte| (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    sum.to_le_bytes()
}
