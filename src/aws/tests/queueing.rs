//! Tests of queues and the topic: refused entries, expired receipts, redrives.

use std::time::Duration;

use serde_json::{Value, json};

use super::script::{ATTEMPT, ROUNDS, Script, ScriptedAnswer, error, ok, status};
use crate::model::{DeduplicationId, GroupId, UserId};
use crate::ports::{Outgoing, PortError, Posting, Queue, Receipt, Selection};

fn url() -> ScriptedAnswer {
    ok(r#"{"QueueUrl":"http://sqs/1/q"}"#)
}

/// Returns the answer to a batch in which these entries failed, each with its place, its code, and whether
/// the sender is at fault.
fn failed(entries: &[(usize, &str, bool)]) -> ScriptedAnswer {
    let entry = |&(place, code, fault): &(usize, &str, bool)| json!({ "Id": place.to_string(), "Code": code, "SenderFault": fault, "Message": "no" });
    let failed: Vec<Value> = entries.iter().map(entry).collect();
    let is_done = |place: &usize| entries.iter().all(|(failed, ..)| failed != place);
    let done = (0..10)
        .filter(is_done)
        .map(|place| json!({ "Id": place.to_string(), "MessageId": "m", "MD5OfMessageBody": "d" }));
    let done: Vec<Value> = done.collect();
    ok(json!({ "Successful": done, "Failed": failed }).to_string())
}

fn standard(count: usize) -> Vec<Outgoing> {
    let posting = Posting::Standard { delay: Duration::ZERO };
    (0..count).map(|n| Outgoing { body: n.to_string(), posting }).collect()
}

fn receipts(count: usize) -> Vec<Receipt> {
    (0..count).map(|n| Receipt(n.to_string())).collect()
}

/// Returns the bodies of a batch.
fn bodies(request: &Value) -> Vec<&str> {
    let entries = request["Entries"].as_array().unwrap();
    entries.iter().map(|entry| entry["MessageBody"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn every_refused_entry_is_looked_at() {
    let first = failed(&[(0, "InvalidMessageContents", true), (2, "InternalError", false)]);
    let script = Script::new(1, [url(), first, failed(&[])]).await;
    let failed = script.aws.queues().send(Queue::Provider, &standard(4)).await.unwrap();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].index, 0);
    assert!(matches!(failed[0].error, PortError::Rejected { .. }), "{failed:?}");
    let asked = script.asked();
    assert_eq!(bodies(&asked[1].json()), ["0", "1", "2", "3"]);
    assert_eq!(bodies(&asked[2].json()), ["2"], "only what may still be done");
}

#[tokio::test]
async fn entries_that_stay_refused_are_given_up() {
    let answers = [url()].into_iter().chain(vec![failed(&[(0, "ThrottlingException", true)]); 9]);
    let script = Script::new(1, answers).await;
    let failed = script.aws.queues().send(Queue::Provider, &standard(1)).await.unwrap();
    assert!(matches!(failed[0].error, PortError::Throttled { .. }), "{failed:?}");
    assert_eq!(script.asked().len(), 2 + ROUNDS as usize);
}

#[tokio::test]
async fn an_entry_that_the_answer_passes_over_was_not_sent() {
    let script = Script::new(1, [url(), ok("{}"), ok("{}"), ok("{}")]).await;
    let failed = script.aws.queues().send(Queue::Provider, &standard(1)).await.unwrap();
    assert!(matches!(failed[0].error, PortError::Unavailable { .. }), "{failed:?}");
}

#[tokio::test]
async fn a_call_that_fails_later_fails_only_the_rest() {
    let script = Script::new(1, [url(), failed(&[]), status(500, "{}")]).await;
    let failed = script.aws.queues().send(Queue::Provider, &standard(35)).await.unwrap();
    let indices: Vec<_> = failed.iter().map(|entry| entry.index).collect();
    assert_eq!(indices, (10..35).collect::<Vec<_>>());
    assert!(failed.iter().all(|entry| entry.error.is_downstream()));
    assert_eq!(script.asked().len(), 3, "a service in trouble is not asked on");
}

#[tokio::test]
async fn a_send_of_nothing_is_an_error_and_not_remembered() {
    let missing = "QueueDoesNotExist";
    let script = Script::new(1, [error(missing), url(), error(missing), failed(&[])]).await;
    for _ in 0..2 {
        let error = script.aws.queues().send(Queue::Provider, &standard(1)).await.unwrap_err();
        let named =
            matches!(&error, PortError::Missing { what } if what == "queue `test-provider`");
        assert!(named, "{error:?}");
    }
    assert!(script.aws.queues().send(Queue::Provider, &standard(1)).await.unwrap().is_empty());
    let resolved = script.operations().iter().filter(|name| *name == "GetQueueUrl").count();
    assert_eq!(resolved, 2, "found once, it is known");
}

#[tokio::test]
async fn fifo_ids_are_hex() {
    let script = Script::new(1, [url(), failed(&[])]).await;
    let posting = Posting::Fifo {
        group: GroupId::of(&UserId::new("José 株式会社").unwrap()),
        deduplication: DeduplicationId::from_random([1; 16]),
    };
    let message = Outgoing { body: "{}".to_owned(), posting };
    script.aws.queues().send(Queue::Refresh, &[message]).await.unwrap();
    let entry = script.asked()[1].json()["Entries"][0].clone();
    for field in ["MessageGroupId", "MessageDeduplicationId"] {
        let id = entry[field].as_str().unwrap();
        assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    }
}

#[tokio::test]
async fn expired_receipts_are_skipped_and_others_are_not() {
    let expired = [(0, "ReceiptHandleIsInvalid", true), (1, "InvalidParameterValue", true)];
    let script = Script::new(1, [url(), failed(&expired), failed(&expired)]).await;
    let queues = script.aws.queues();
    queues.acknowledge(Queue::Refresh, &receipts(2)).await.unwrap();
    queues.change_visibility(Queue::Refresh, &receipts(2), Duration::ZERO).await.unwrap();

    let script = Script::new(1, [url(), failed(&[(0, "AccessDenied", true)])]).await;
    let error = script.aws.queues().acknowledge(Queue::Refresh, &receipts(1)).await.unwrap_err();
    assert!(matches!(error, PortError::Denied { .. }), "{error:?}");
}

#[tokio::test]
async fn a_long_poll_may_take_longer_than_other_calls() {
    let slow = |body: &str| ok(body).after(ATTEMPT * 2);
    let script = Script::new(1, [url(), slow("{}"), slow(r#"{"Attributes":{}}"#)]).await;
    let queues = script.aws.queues();
    let wait = Duration::from_secs(20);
    assert_eq!(queues.receive(Queue::Provider, 10, wait, wait).await.unwrap(), []);
    let error = queues.depth(Queue::Provider).await.unwrap_err();
    assert!(matches!(error, PortError::Unavailable { .. }), "{error:?}");
    let polled = script.asked()[1].json();
    assert_eq!(polled["WaitTimeSeconds"], 20);
    assert_eq!(polled["VisibilityTimeout"], 20);
}

/// Returns a message of a queue, with all attributes or without one of them.
fn message(id: &str, group: &str, without: Option<&str>) -> Value {
    let mut attributes = json!({
        "ApproximateReceiveCount": "1", "SentTimestamp": "1800000000000", "MessageGroupId": group,
    });
    if let (Some(name), Some(attributes)) = (without, attributes.as_object_mut()) {
        attributes.remove(name).unwrap();
    }
    json!({ "MessageId": id, "ReceiptHandle": id, "Body": id, "Attributes": attributes })
}

#[tokio::test]
async fn a_message_without_an_attribute_fails_alone() {
    for without in ["ApproximateReceiveCount", "SentTimestamp"] {
        let messages = [
            message("1", "a", None),
            message("2", "a", Some(without)),
            message("3", "b", None),
            message("4", "a", None),
        ];
        let came = ok(json!({ "Messages": messages }).to_string());
        let script = Script::new(1, [url(), came]).await;
        let wait = Duration::from_secs(20);
        let received = script.aws.queues().receive(Queue::Refresh, 10, wait, wait).await.unwrap();
        let bodies: Vec<&str> = received.iter().map(|message| &*message.body).collect();
        assert_eq!(bodies, ["1", "3"], "the last one waits behind the second of its group");
    }
}

fn arn() -> ScriptedAnswer {
    ok(r#"{"Attributes":{"QueueArn":"arn:aws:sqs:eu-west-1:1:q"}}"#)
}

#[tokio::test]
async fn the_service_redrives_all_where_it_can() {
    let done = r#"{"Results":[{"Status":"COMPLETED","ApproximateNumberOfMessagesMoved":7}]}"#;
    let started = ok(r#"{"TaskHandle":"t"}"#);
    let script = Script::new(1, [url(), arn(), url(), arn(), started, ok(done)]).await;
    let moved = script.aws.dead_letters().redrive(Queue::Provider, &Selection::All).await.unwrap();
    assert_eq!(moved, 7);
    let last = script.operations().split_off(4);
    assert_eq!(last, ["StartMessageMoveTask", "ListMessageMoveTasks"]);
}

#[tokio::test]
async fn a_redrive_that_the_service_gives_up_is_an_error() {
    let done = r#"{"Results":[{"Status":"FAILED","FailureReason":"AccessDenied"}]}"#;
    let started = ok(r#"{"TaskHandle":"t"}"#);
    let script = Script::new(1, [url(), arn(), url(), arn(), started, ok(done)]).await;
    let error = script.aws.dead_letters().redrive(Queue::Provider, &Selection::All).await;
    assert!(matches!(error, Err(PortError::Unavailable { .. })), "{error:?}");
}

/// Tests that a redrive of all dead letters is not replaced by a partial one when it is refused.
#[tokio::test]
async fn only_an_unknown_operation_is_replaced() {
    let script = Script::new(1, [url(), arn(), url(), arn(), error("AccessDeniedException")]).await;
    let refused = script.aws.dead_letters().redrive(Queue::Provider, &Selection::All).await;
    assert!(matches!(refused, Err(PortError::Denied { .. })), "{refused:?}");

    let unknown = error("InvalidAction");
    let script = Script::new(1, [url(), arn(), url(), arn(), unknown, ok("{}")]).await;
    let moved = script.aws.dead_letters().redrive(Queue::Provider, &Selection::All).await.unwrap();
    assert_eq!(moved, 0);
}

#[tokio::test]
async fn a_dead_letter_that_was_not_sent_again_is_not_deleted() {
    let letters = json!({ "Messages": [
        { "MessageId": "a", "ReceiptHandle": "ra", "Body": "1" },
        { "MessageId": "b", "ReceiptHandle": "rb", "Body": "2" },
    ] });
    let refusal = failed(&[(0, "InvalidMessageContents", true)]);
    let answers = [url(), ok(letters.to_string()), url(), refusal, failed(&[])];
    let script = Script::new(1, answers).await;
    let chosen = Selection::Ids(vec!["a".to_owned(), "b".to_owned()]);
    let outcome = script.aws.dead_letters().redrive(Queue::Provider, &chosen).await;
    assert!(matches!(outcome, Err(PortError::Rejected { .. })), "{outcome:?}");
    let asked = script.asked();
    let deleted = asked.iter().find(|asked| asked.operation == "DeleteMessageBatch").unwrap();
    let entries = deleted.json()["Entries"].clone();
    assert_eq!(entries.as_array().unwrap().len(), 1, "{entries}");
    assert_eq!(entries[0]["ReceiptHandle"], "rb", "what was sent would come twice");
}

const IDENTITY: &str = "<GetCallerIdentityResponse><GetCallerIdentityResult>\
    <Arn>arn:aws:iam::123:user/u</Arn><UserId>u</UserId><Account>123</Account>\
    </GetCallerIdentityResult></GetCallerIdentityResponse>";

#[tokio::test]
async fn a_topic_is_named_by_the_account_and_its_entries_are_looked_at() {
    let published = |failed: &str| {
        ok(format!(
            "<PublishBatchResponse><PublishBatchResult><Successful><member><Id>0</Id>\
             <MessageId>m</MessageId></member></Successful><Failed>{failed}</Failed>\
             </PublishBatchResult></PublishBatchResponse>"
        ))
    };
    let member =
        "<member><Id>1</Id><Code>InternalError</Code><SenderFault>false</SenderFault></member>";
    let script = Script::new(1, [ok(IDENTITY), published(member), published("")]).await;
    let bodies = ["one".to_owned(), "two".to_owned()];
    assert!(script.aws.topic().publish(&bodies).await.unwrap().is_empty());
    let asked = script.asked();
    assert_eq!(asked.len(), 3);
    assert!(asked[1].body.contains("arn%3Aaws%3Asns%3Aeu-west-1%3A123%3Atest-quotations"));
    assert!(asked[2].body.contains("two") && !asked[2].body.contains("one"), "{}", asked[2].body);
}
