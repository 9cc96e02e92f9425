//! Tests of pushes through a management API.

use bytes::Bytes;

use super::script::{Script, ok, status};
use crate::model::{ConnectionId, ConnectionRef};
use crate::ports::{Delivery, PortError};

fn to(endpoint: &str) -> ConnectionRef {
    ConnectionRef { endpoint: endpoint.to_owned(), id: ConnectionId::new("c1=").unwrap() }
}

#[tokio::test]
async fn a_push_is_delivered_or_the_connection_is_gone() {
    let gone = status(410, r#"{"message":"GoneException"}"#);
    let script = Script::new(1, [ok(""), gone, status(410, "")]).await;
    let endpoint = format!("{}/stage", script.endpoint);
    let connections = script.aws.connections(&[format!("{endpoint}/")]);
    let frame = Bytes::from_static(b"{}");
    for expected in [Delivery::Delivered, Delivery::Gone, Delivery::Gone] {
        assert_eq!(connections.push(&to(&endpoint), frame.clone()).await.unwrap(), expected);
    }
    let asked = script.asked();
    assert_eq!(
        (asked[0].path.as_str(), asked[0].body.as_str()),
        ("/stage/@connections/c1%3D", "{}")
    );
}

#[tokio::test]
async fn other_endpoints_and_large_frames_are_rejected_unsent() {
    let script = Script::new(1, []).await;
    let connections = script.aws.connections(&[format!("{}/stage", script.endpoint)]);
    for endpoint in [script.endpoint.clone(), format!("{}/stage/more", script.endpoint)] {
        let refused = connections.push(&to(&endpoint), Bytes::new()).await;
        assert!(matches!(refused, Err(PortError::Rejected { .. })), "{refused:?}");
    }
    let large = Bytes::from(vec![b'x'; 128 * 1024 + 1]);
    let refused = connections.push(&to(&format!("{}/stage", script.endpoint)), large).await;
    assert!(matches!(refused, Err(PortError::Rejected { .. })), "{refused:?}");
    assert!(script.asked().is_empty());
}

#[tokio::test]
async fn a_gateway_in_trouble_is_no_closed_connection() {
    let script = Script::new(1, [status(500, ""), status(429, "")]).await;
    let connections = script.aws.connections(std::slice::from_ref(&script.endpoint));
    let failed = connections.push(&to(&script.endpoint), Bytes::new()).await;
    assert!(matches!(failed, Err(PortError::Unavailable { .. })), "{failed:?}");
    let failed = connections.push(&to(&script.endpoint), Bytes::new()).await;
    assert!(matches!(failed, Err(PortError::Throttled { .. })), "{failed:?}");
}
