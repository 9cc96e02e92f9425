//! What errors mean, by what comes over the wire.

use super::script::{Answer, Script, engine, error, ok, status};
use crate::model::UserId;
use crate::ports::{ActiveUser, PortError};

async fn read(script: &Script) -> Result<Option<ActiveUser>, PortError> {
    script.aws.store().active_user(&UserId::new("ann").unwrap()).await
}

async fn failure(answer: Answer) -> PortError {
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
    }
    let error = failure(status(429, page)).await;
    assert!(matches!(error, PortError::Throttled { .. }), "{error:?}");
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
