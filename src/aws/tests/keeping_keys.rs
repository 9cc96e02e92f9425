//! Tests of the secret with the keys of tokens, by the requests on the wire.

use serde_json::json;

use super::script::{Script, error, ok};
use crate::ports::{Chain, PortError};
use crate::tokens::testing::{key, ring};

#[tokio::test]
async fn keys_are_the_text_of_one_secret() {
    let document = ring().to_document().unwrap();
    let secret = json!({ "Name": "test/token-keys", "SecretString": document }).to_string();
    let answers = [ok(secret), error("ResourceNotFoundException"), ok("{}"), ok("{}")];
    let script = Script::new(1, answers).await;
    let keys = script.aws.token_keys();
    assert_eq!(keys.read().await.unwrap(), Some(ring()));
    assert_eq!(keys.read().await.unwrap(), None);
    assert!(keys.create(&ring()).await.unwrap());
    keys.replace(&ring().rotated(key(2))).await.unwrap();
    let operations = ["GetSecretValue", "GetSecretValue", "CreateSecret", "PutSecretValue"];
    assert_eq!(script.operations(), operations);
    let asked = script.asked();
    assert_eq!(asked[0].json()["SecretId"], "test/token-keys");
    assert_eq!(asked[2].json()["Name"], "test/token-keys");
    assert_eq!(asked[2].json()["SecretString"], document);
}

#[tokio::test]
async fn what_goes_wrong_is_told_apart_and_no_secret_is_told() {
    let hush = json!({ "SecretString": r#"{"keys":"hush"}"# }).to_string();
    let secret = json!({ "SecretString": ring().to_document().unwrap() }).to_string();
    let answers = [
        error("ResourceExistsException"),
        ok(secret),
        error("AccessDeniedException"),
        error("ThrottlingException"),
        ok(hush),
    ];
    let script = Script::new(1, answers).await;
    let keys = script.aws.token_keys();
    assert!(!keys.create(&ring()).await.unwrap());
    let denied = keys.read().await.unwrap_err();
    let named = "GetSecretValue on secret `test/token-keys`";
    assert!(matches!(&denied, PortError::Denied { what, .. } if what == named), "{denied:?}");
    assert!(matches!(keys.read().await, Err(PortError::Throttled { .. })));
    let corrupt = keys.read().await.unwrap_err();
    let text = format!("{} {corrupt:?}", Chain(&corrupt));
    assert!(text.contains("test/token-keys") && !text.contains("hush"), "{text}");
}

/// Tests a secret that Terraform has made, without a value.
#[tokio::test]
async fn of_two_that_give_an_empty_secret_its_first_keys_one_succeeds() {
    let empty = [error("ResourceExistsException"), error("ResourceNotFoundException")];
    let [exists, none] = empty.clone();
    let answers = [exists, none, ok("{}"), error("ResourceExistsException")];
    let [exists, none] = empty;
    let script = Script::new(1, [&answers[..3], &[exists, none], &answers[3..]].concat()).await;
    let keys = script.aws.token_keys();
    assert!(keys.create(&ring()).await.unwrap());
    assert!(!keys.create(&ring()).await.unwrap());
    let operations = ["CreateSecret", "GetSecretValue", "PutSecretValue"];
    assert_eq!(script.operations(), [operations, operations].concat());
    let asked = script.asked();
    let version = |at: usize| asked[at].json()["ClientRequestToken"].clone();
    assert!(version(0).as_str().is_some_and(|id| (32..=64).contains(&id.len())));
    // Secrets Manager accepts the id of a version once.
    assert!([2, 3, 5].map(version).iter().all(|id| *id == version(0)));
}
