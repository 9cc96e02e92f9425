//! Tests of loads over HTTP.

mod lossy;

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::BodyExt as _;
use hyper::header::CONTENT_TYPE;

use self::lossy::{Loss, Lossy};
use super::*;
use crate::memory::Memory;
use crate::ports::{SystemClock, SystemRandomness};

fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
}

fn packed(bytes: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(vec![], Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap().into()
}

#[test]
fn heads_are_checked_before_bodies() {
    let door = LoadDoor::of_gateway();
    let admit = |query: &str, pairs: &[(HeaderName, &str)]| {
        door.admit(query, &headers(pairs)).map_err(|reply| reply.status().as_u16())
    };
    let csv = (CONTENT_TYPE, "Text/CSV; charset=utf-8");
    let only_csv = std::slice::from_ref(&csv);
    let gzip = (CONTENT_ENCODING, "GZIP");
    let admitted = admit("currency=EUR&prune=true", &[csv.clone(), gzip]).unwrap();
    assert!(
        !admitted.is_dry_run
            && admitted.prune
            && admitted.is_packed
            && admitted.format == Format::Csv
    );
    // The door admits one load at a time.
    assert_eq!(admit("", only_csv).err(), Some(503));
    drop(admitted);
    assert!(admit("dry-run=true", only_csv).unwrap().is_dry_run);
    for (query, pairs, status) in [
        ("", &[][..], 415),
        ("", &[(CONTENT_TYPE, "text/plain")], 415),
        ("", &[(CONTENT_TYPE, "application/x-www-form-urlencoded")], 415),
        ("", &[csv.clone(), (CONTENT_ENCODING, "br")], 415),
        ("currency=EURO", only_csv, 400),
        ("prune=yes", only_csv, 400),
        ("dry-run=", only_csv, 400),
        ("dry_run=true", only_csv, 400),
        ("force=true", only_csv, 400),
    ] {
        assert_eq!(admit(query, pairs).err(), Some(status), "{query} {pairs:?}");
    }
}

#[test]
fn what_is_unpacked_is_bounded() {
    let bomb = packed(&vec![b' '; 10_000_000]);
    assert!(bomb.len() < 20_000);
    assert_eq!(unpacked(&bomb, 1_000_000).unwrap_err().status(), 413);
    assert_eq!(unpacked(&bomb, 10_000_000).unwrap().len(), 10_000_000);
    assert_eq!(unpacked(b"plain", 100).unwrap_err().status(), 400);
    assert_eq!(unpacked(&bomb[..100], 10_000_000).unwrap_err().status(), 400, "cut off");
}

#[test]
fn a_body_is_what_it_says_that_it_is() {
    let read = |format, body: &'static str| {
        let layout = Layout::default();
        read(Bytes::from(body), format, false, 1000, Currency::USD.into(), &layout).is_ok()
    };
    let (csv, json) = ("id,name,price\nP1,Desk,5.00\n", r#" [{"id":"P1","name":"D","price":5}]"#);
    assert!(read(Format::Csv, csv) && read(Format::Json, json));
    assert!(!read(Format::Json, csv) && !read(Format::Csv, json));
    assert!(!read(Format::Csv, "") && !read(Format::Json, ""));
}

#[tokio::test(start_paused = true)]
async fn a_load_is_not_said_to_have_done_nothing_if_it_may_be_in_force() {
    for (loss, status, said, version) in [
        (Loss::Call, 413, "nothing was changed", None),
        (Loss::Answer, 202, "in force", Some(1)),
        (Loss::Broken, 202, "in force", Some(1)),
        (Loss::BrokenAndFolded, 503, "it is not known whether", Some(1)),
    ] {
        let inner = Memory::new(Arc::new(SystemClock), Arc::new(SystemRandomness)).ports();
        let store = Arc::new(Lossy { inner: inner.clone(), loss });
        let ports = Ports { store, ..inner.clone() };
        let door = LoadDoor::of_function();
        let admitted = door.admit("", &headers(&[(CONTENT_TYPE, "text/csv")])).unwrap();
        let body = Bytes::from_static(b"id,name,price\nP1,Desk,5.00\n");
        let reply = door.load(&ports, admitted, body).await;
        let got = reply.status().as_u16();
        let text = reply.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&text);
        assert_eq!((got, text.contains(said)), (status, true), "{text}");
        let head = inner.store.catalogue_head().await.unwrap();
        assert_eq!(head.map(|head| head.version), version);
    }
}
