//! What waits before cold quotes after a load of prices: messages sent to the urgent queue while warm
//! users quote.

use std::time::Duration;

use futures_util::future::{join, join_all};
use futures_util::{SinkExt, StreamExt};
use ocache::meter::{Action, Resource, Stage, Usage, Window};
use ocache::model::UserId;
use ocache::ports::Ports;
use ocache::stages::change;
use serde_json::json;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use crate::inputs;
use crate::lab::{Build, Lab, Scale, line, users};

const PRODUCTS: u64 = 1_000;
const QUOTES: u32 = 3;
const SOCKETS: usize = 50;

pub async fn run(scale: Scale, builds: &[Build]) {
    let users = users("warm", scale.of(1_000));
    for build in builds {
        let mut lab = Lab::new(inputs::dataset(PRODUCTS, 0, 0)).await;
        let up = lab.up(build);
        quote_each(&up.1, &users, &lab).await;
        lab.until_refreshed().await;
        // What a process has used is written down when it ends.
        up.stop();
        let before = sent(&lab.ports).await;

        let up = lab.up(build);
        let load = lab.change_the_catalogue().await;
        let now = lab.ports.clock.now();
        let order = change::order(&*lab.ports.store, &*lab.ports.queues, &load, now);
        let quotes = async {
            for _ in 0..QUOTES {
                quote_each(&up.1, &users, &lab).await;
            }
        };
        let (ordered, ()) = join(order, quotes).await;
        assert_eq!(ordered.expect("orders can be sent").ordered, users.len());
        lab.until_refreshed().await;
        up.stop();
        let [urgent, refresh] = sent(&lab.ports).await;
        let what = format!(
            "load of prices, {} warm users quote {QUOTES} times, {}: messages to the urgent queue",
            users.len(),
            build.name
        );
        line("–", &what, &(urgent - before[0]).to_string());
        let what = format!("messages of stale tables to the refresh queue, {}", build.name);
        line("–", &what, &(refresh - before[1]).to_string());
        lab.close().await;
    }
}

/// The messages that servers have sent to the two queues of calculations, but for those of the
/// schedule. What this program sends is on no meter.
async fn sent(ports: &Ports) -> [u64; 2] {
    let windows = Window::back_from(ports.clock.now(), Duration::from_secs(60 * 60));
    let windows: Vec<u64> = windows.map(|window| window.number()).collect();
    let records = ports.usage.usage_records(&windows).await.expect("meters can be read");
    let mut usage = Usage::default();
    for record in records {
        usage.merge(&Usage::from_bytes(&record.body).expect("a meter's record can be read"));
    }
    [Resource::QuotationQueue, Resource::RefreshQueue].map(|queue| {
        let sent = usage.total(|line| {
            (line.resource, line.action) == (queue, Action::Send) && line.stage != Stage::Refresh
        });
        sent.items
    })
}

/// A quote of each user, answered.
async fn quote_each(url: &str, users: &[UserId], lab: &Lab) {
    let product = lab.dataset.products[1].id.as_str();
    let clients = users.chunks(users.len().div_ceil(SOCKETS)).map(|users| async move {
        let (mut socket, _) = connect_async(url).await.expect("the server takes sockets");
        for user in users {
            let items = json!([{ "product": product, "quantity": 1 }]);
            let quote = json!({ "action": "quote", "client": user.as_str(), "items": items });
            socket.send(Message::text(quote.to_string())).await.expect("the socket is open");
            loop {
                let frame = socket.next().await.expect("it is open").expect("the frame is whole");
                let text = frame.to_text().expect("it is text");
                if text.contains(r#"":"quotation""#) {
                    assert!(text.contains(r#""answered""#), "{text}");
                    break;
                }
            }
        }
    });
    join_all(clients).await;
}
