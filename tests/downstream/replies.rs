//! Replies of the services when they cannot or will not do something.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use serde_json::{Value, json};

/// The AWS services of ocache's tables, queues and topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    DynamoDb,
    Sqs,
    Sns,
    Sts,
}

fn reply(status: u16, kind: &str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let response = Response::builder().status(status).header("content-type", kind);
    response.body(Full::new(body.into())).unwrap()
}

fn json_error(status: u16, kind: &str, message: &str) -> Response<Full<Bytes>> {
    let body = json!({ "__type": kind, "message": message });
    reply(status, "application/x-amz-json-1.0", body.to_string())
}

fn xml_error(status: u16, code: &str, message: &str) -> Response<Full<Bytes>> {
    let body = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message>\
         </Error><RequestId>00000000-0000-0000-0000-000000000000</RequestId></ErrorResponse>"
    );
    reply(status, "text/xml", body)
}

/// Returns how each service says that there are too many requests.
pub fn throttled(service: Service) -> Response<Full<Bytes>> {
    match service {
        Service::DynamoDb => json_error(
            400,
            "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
            "The level of configured provisioned throughput for the table was exceeded.",
        ),
        Service::Sqs => {
            let kind = "com.amazonaws.sqs#RequestThrottled";
            let mut response = json_error(403, kind, "Request is throttled.");
            let query_error = "RequestThrottled;Sender".parse().unwrap();
            response.headers_mut().insert("x-amzn-query-error", query_error);
            response
        }
        Service::Sns => xml_error(429, "Throttled", "Rate exceeded"),
        Service::Sts => xml_error(400, "Throttling", "Rate exceeded"),
    }
}

/// Returns how each service says that it is broken.
pub fn broken(service: Service) -> Response<Full<Bytes>> {
    match service {
        Service::DynamoDb => json_error(
            500,
            "com.amazonaws.dynamodb.v20120810#InternalServerError",
            "The request could not be processed because of an internal error.",
        ),
        // Not every 500 comes from the service itself.
        Service::Sqs => reply(500, "text/html", "<html><body>bad day</body></html>"),
        Service::Sns | Service::Sts => xml_error(500, "InternalFailure", "internal failure"),
    }
}

/// Returns the reply to a batch of which nothing was done, entry by entry, or `None` if the request is not
/// a batch.
pub fn undone(operation: &str, body: &[u8]) -> Option<Response<Full<Bytes>>> {
    if operation == "PublishBatch" {
        return Some(unpublished(&String::from_utf8_lossy(body)));
    }
    let request: Value = serde_json::from_slice(body).ok()?;
    let answer = match operation {
        "BatchWriteItem" => json!({ "UnprocessedItems": request["RequestItems"] }),
        "BatchGetItem" => json!({ "Responses": {}, "UnprocessedKeys": request["RequestItems"] }),
        "SendMessageBatch" | "DeleteMessageBatch" | "ChangeMessageVisibilityBatch" => {
            let entries = request["Entries"].as_array()?;
            let failed: Vec<Value> = entries
                .iter()
                .map(|entry| {
                    json!({
                        "Id": entry["Id"],
                        "SenderFault": false,
                        "Code": "InternalError",
                        "Message": "try again",
                    })
                })
                .collect();
            json!({ "Successful": [], "Failed": failed })
        }
        _ => return None,
    };
    Some(reply(200, "application/x-amz-json-1.0", answer.to_string()))
}

fn unpublished(form: &str) -> Response<Full<Bytes>> {
    let entries = form.split('&').filter(|field| field.contains(".Id=")).count();
    let failed: String = (0..entries)
        .map(|id| {
            format!(
                "<member><Id>{id}</Id><Code>InternalError</Code><Message>try again</Message>\
                 <SenderFault>false</SenderFault></member>"
            )
        })
        .collect();
    let body = format!(
        "<PublishBatchResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">\
         <PublishBatchResult><Successful/><Failed>{failed}</Failed></PublishBatchResult>\
         <ResponseMetadata><RequestId>0</RequestId></ResponseMetadata></PublishBatchResponse>"
    );
    reply(200, "text/xml", body)
}

/// Returns a batch with only the first half of its entries, and what to add to the answer about the rest.
/// Returns `None` if there are no two halves. Only tables report what they left undone in this way.
pub fn halved(operation: &str, body: &[u8]) -> Option<(Bytes, &'static str, Value)> {
    let mut request: Value = serde_json::from_slice(body).ok()?;
    let tables = request["RequestItems"].as_object_mut()?;
    let (name, items) = tables.iter_mut().next()?;
    let name = name.clone();
    let (field, list) = match operation {
        "BatchWriteItem" => ("UnprocessedItems", items.as_array_mut()?),
        "BatchGetItem" => ("UnprocessedKeys", items["Keys"].as_array_mut()?),
        _ => return None,
    };
    if list.len() < 2 {
        return None;
    }
    let rest = list.split_off(list.len().div_ceil(2));
    let rest = match operation {
        "BatchWriteItem" => json!({ name: rest }),
        _ => json!({ name: { "Keys": rest } }),
    };
    Some((Bytes::from(request.to_string()), field, rest))
}

/// Returns an answer with one more field.
pub fn with_field(answer: Response<Bytes>, field: &str, value: Value) -> Response<Full<Bytes>> {
    let (head, body) = answer.into_parts();
    let mut answer: Value = serde_json::from_slice(&body).unwrap();
    answer[field] = value;
    Response::from_parts(head, Full::new(Bytes::from(answer.to_string())))
}
