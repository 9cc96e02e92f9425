//! Tests of what errors mean, by the answers on the wire.

use super::script::{Script, ScriptedAnswer, engine, error, ok, status};
use crate::model::UserId;
use crate::ports::{ActiveUser, Chain, PortError};

async fn read(script: &Script) -> Result<Option<ActiveUser>, PortError> {
    script.aws.store().active_user(&UserId::new("ann").unwrap()).await
}

async fn failure(answer: ScriptedAnswer) -> PortError {
    read(&Script::new(1, [answer]).await).await.unwrap_err()
}

#[tokio::test]
async fn codes_are_told_apart() {
    for code in ["ThrottlingException", "ProvisionedThroughputExceededException"] {
        assert!(matches!(failure(error(code)).await, PortError::Throttled { .. }), "{code}");
    }
    for code in ["AccessDeniedException", "UnrecognizedClientException", "ExpiredTokenException"] {
        let denied = failure(error(code)).await;
        let named = matches!(&denied, PortError::Denied { what, .. }
            if what == "GetItem on table `test-active-users`");
        assert!(named, "{code}: {denied:?}");
    }
    for code in ["UnknownOperationException", "InvalidAction", "SomethingNew"] {
        let refused = failure(error(code)).await;
        assert!(matches!(refused, PortError::Refused { .. }), "{code}: {refused:?}");
        assert!(Chain(&refused).to_string().contains(code), "{refused:?}");
    }
    let rejected = failure(error("ValidationException")).await;
    assert!(
        matches!(&rejected, PortError::Rejected { why, .. } if why.contains("said the service")),
        "{rejected:?}"
    );
}

#[tokio::test]
async fn what_is_not_aws_is_unavailable() {
    let page = "<html><body>hello</body></html>";
    for code in [200, 403, 404, 500, 503] {
        let error = failure(status(code, page)).await;
        assert!(matches!(error, PortError::Unavailable { .. }), "{code}: {error:?}");
        // A load balancer of AWS answers like this too when a service is down.
        let says_so = Chain(&error).to_string().contains("does not speak the protocol of AWS");
        assert_eq!(says_so, code < 500, "{code}: {error:?}");
    }
    let error = failure(status(429, page)).await;
    assert!(matches!(error, PortError::Throttled { .. }), "{error:?}");
}

/// Tests that each refusal of the caller has its own message, and that none repeats what was signed.
#[tokio::test]
async fn refusals_of_the_caller_are_told_apart() {
    for (code, words) in [
        ("ExpiredTokenException", "have expired"),
        ("UnrecognizedClientException", "does not know the access key"),
        ("InvalidSignatureException", "the secret key does not belong to the access key"),
        ("RequestTimeTooSkewed", "this machine's clock"),
        ("SubscriptionRequiredException", "not signed up"),
    ] {
        let denied = failure(error(code)).await;
        assert!(matches!(denied, PortError::Denied { .. }), "{code}: {denied:?}");
        let said = Chain(&denied).to_string();
        assert!(said.contains(code) && said.contains(words), "{said}");
        assert!(!said.contains("said the service"), "{said}");
    }
}

#[tokio::test]
async fn nobody_there_is_unavailable_and_says_why() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let store = engine(&endpoint, 1).store();
    let error = store.active_user(&UserId::new("ann").unwrap()).await.unwrap_err();
    let PortError::Unavailable { source, .. } = &error else { panic!("{error:?}") };
    let causes = std::iter::successors(Some(&**source as &dyn std::error::Error), |e| e.source());
    assert!(causes.filter_map(|cause| cause.downcast_ref::<std::io::Error>()).next().is_some());
}

#[tokio::test]
async fn the_sdk_alone_retries() {
    let script = Script::new(3, [status(500, "{}"), error("ThrottlingException"), ok("{}")]).await;
    assert_eq!(read(&script).await.unwrap(), None);
    let script = Script::new(3, vec![error("ThrottlingException"); 9]).await;
    assert!(matches!(read(&script).await, Err(PortError::Throttled { .. })));
    assert_eq!(script.asked().len(), 3);
}
