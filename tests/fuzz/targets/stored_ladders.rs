//! Fuzzes ladders and keys of price lists in their stored form: raw bytes, and fields with the checksum
//! that they need. The first byte says which of them the input is.
//!
//! What is accepted must be sorted. Packed again it reads the same, and a key is written as the same text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ocache::ports::{RecordKey, RecordKind};
use ocache::pricing::{Ladder, OwnLadders};
use ocache_fuzz::seal;

fuzz_target!(|input: &[u8]| {
    let Some((kind, rest)) = input.split_first() else { return };
    match kind % 5 {
        0 => ladder(rest),
        1 => ladder(&seal(rest)),
        2 => ladders(rest),
        3 => ladders(&seal(rest)),
        _ => key(rest),
    }
});

fn ladder(packed: &[u8]) {
    let Ok(ladder) = Ladder::unpack(packed) else { return };
    let rungs = ladder.rungs();
    assert!(!rungs.is_empty());
    assert!(rungs.windows(2).all(|pair| pair[0].min_quantity < pair[1].min_quantity));
    let _ = ladder.check();
    let again = Ladder::unpack(&ladder.pack().expect("a ladder can be packed"));
    assert_eq!(again.expect("what was packed can be read"), ladder);
}

fn ladders(packed: &[u8]) {
    let Ok(own) = OwnLadders::unpack(packed) else { return };
    assert!(own.ladders.windows(2).all(|pair| pair[0].product_id < pair[1].product_id));
    assert!(own.ladders.iter().all(|one| own.of(&one.product_id) == Some(&one.ladder)));
    let again = OwnLadders::unpack(&own.pack().expect("ladders can be packed"));
    assert_eq!(again.expect("what was packed can be read"), own);
}

fn key(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    for kind in RecordKind::ALL {
        let Ok(key) = RecordKey::from_stored(kind, text) else { continue };
        assert_eq!((key.kind(), &*key.stored()), (kind, text));
    }
}
