//! Tests that the meter counts the same for the same work on every engine.

use std::sync::Arc;

use bytes::Bytes;
use ocache::meter::{Action, Meter, Operation, Resource, Unit, Usage, Used, Window, metered};
use ocache::model::{DeduplicationId, GroupId, PriceListId};
use ocache::ports::{
    BaseName, NewTable, Outgoing, Ports, Posting, Queue, Quotation, QuotationStatus, Segment,
    StoredBase,
};
use ocache::ports::{
    Receipt, Record, TableHead, UsageRecord, UserDiscounts, Verdict, WantedParts, parts_of,
};
use ocache::pricing::{
    Currency, Customer, Discount, Discounts, Ladder, ListPrices, MinQuantity, Money, PriceList,
    PriceRule, Product, Recipients, Rung, Scope,
};

use super::listing::{put_discounts, put_products, put_records};
use super::presence::process;
use super::samples::{
    answer, generation, head, now, percentage, product, product_id, quotation, secs, user,
};

fn list(of: &str, count: usize) -> UserDiscounts {
    let discount = |number| Discount {
        product_id: product_id(&format!("product-{number:04}")),
        percentage: percentage("12.5"),
    };
    let discounts = Discounts::new((0..count).map(discount).collect()).unwrap();
    UserDiscounts::new(user(of), discounts)
}

fn order(number: usize, bytes: usize) -> Outgoing {
    let of = user(&format!("user {number}"));
    let id = DeduplicationId::from_random([u8::try_from(number).unwrap(); 16]);
    let (group, deduplication) = (GroupId::of(&of), id);
    Outgoing { body: "x".repeat(bytes), posting: Posting::Fifo { group, deduplication } }
}

/// Loads a customer and price lists, and reads them in every way.
async fn agree(ports: &Ports) {
    let gold: PriceListId = "gold".parse().unwrap();
    let list = PriceList {
        id: gold.clone(),
        priority: 1,
        currency: None,
        from: Some(now()),
        until: None,
        recipients: Recipients {
            groups: ["dealer".parse().unwrap()].into(),
            ..Recipients::default()
        },
        is_wide: true,
        revision: 3,
    };
    let others = PriceList { id: "silver".parse().unwrap(), ..list.clone() };
    let rung = |n: u64| Rung {
        min_quantity: MinQuantity::from_thousandths(n * 500).unwrap(),
        rule: PriceRule::Price(Money::from_minor(1000)),
    };
    let row = |scope: Scope, rungs: u64| {
        let ladder = Ladder::new((0..rungs).map(rung).collect()).unwrap();
        Record::Prices(ListPrices { list: gold.clone(), scope, ladder })
    };
    let wide = Scope::Category("tools".parse().unwrap());
    let customer =
        Customer { groups: list.recipients.groups.clone(), ..Customer::unknown(user("ann")) };
    let rows = [(Scope::All, 1), (wide.clone(), 300), (Scope::Product(product_id("P1")), 2)];
    // Each kind has a load of its own, because the number of dropped journal items is not known and counts
    // as one.
    let of_lists = vec![Record::PriceList(list), Record::PriceList(others)];
    let of_rows = rows.map(|(scope, rungs)| row(scope, rungs)).to_vec();
    for records in [vec![Record::Customer(customer)], of_lists, of_rows] {
        put_records(ports, records).await;
    }
    let (store, at) = (&ports.store, ports.store.catalogue_head().await.unwrap().unwrap());
    store.customers(&["ann", "eve"].map(user), &at).await.unwrap();
    store.list_customers(&at, None).await.unwrap();
    store.price_lists(std::slice::from_ref(&gold), &at).await.unwrap();
    store.list_price_lists(&at, None).await.unwrap();
    store.prices(&[(gold.clone(), wide), (gold.clone(), Scope::All)], &at).await.unwrap();
    store.list_prices(&gold, &at, None).await.unwrap();
}

/// Does a little of everything.
pub async fn work(ports: &Ports) {
    let store = &ports.store;
    let products: Vec<Product> =
        (0..30).map(|number| product(&format!("P{number}"), 100)).collect();
    assert_eq!(store.catalogue_head().await.unwrap(), None);
    put_products(ports, &products).await;
    put_discounts(ports, &[list("ann", 500), list("bob", 1)]).await;
    let head_now = store.catalogue_head().await.unwrap().unwrap();
    store.list_products(&head_now, Segment::ALL, None).await.unwrap();
    let asked = ["P1", "P2", "P3", "none"].map(product_id);
    store.products(&asked, &head_now).await.unwrap();
    store.discounts(&["ann", "bob", "eve"].map(user), &head_now).await.unwrap();
    agree(ports).await;

    let name = BaseName { version: 1, currency: Currency::USD, terms: None };
    let base =
        StoredBase { expires_at: now().plus(secs(300)), ..StoredBase::nothing(Currency::USD) };
    store.put_base(&name, &base, &[Bytes::from_static(b"names")]).await.unwrap();
    store.base(&name).await.unwrap();
    store.base_parts(&name, &[0, 1]).await.unwrap();

    let (ann, expires_at) = (user("ann"), now().plus(secs(300)));
    store.active_user(&ann).await.unwrap();
    store.record_visit(&ann, now(), expires_at).await.unwrap();
    store.active_user(&ann).await.unwrap();

    let (generation, expires_at) = (generation(), now().plus(secs(86_400)));
    let parts = [vec![7; 800], vec![7; 900], vec![7; 5000]].map(Bytes::from);
    let one = TableHead { generation: generation.clone(), ..head(1) };
    store.put_table(NewTable::new(&ann, &one, expires_at).with_parts(&parts)).await.unwrap();
    let two = head(2);
    store.put_table(NewTable::new(&ann, &two, expires_at).replacing(Some(7))).await.unwrap();
    // Parts and a head, and the same write refused.
    let (bob, first, parts) = (user("bob"), head(1), [Bytes::from_static(b"part")]);
    store.put_table(NewTable::new(&bob, &first, expires_at).with_parts(&parts)).await.unwrap();
    let table = NewTable::new(&bob, &two, expires_at).with_parts(&parts).replacing(Some(7));
    store.put_table(table).await.unwrap();
    let wanted = [(&ann, &generation, vec![2, 0]), (&bob, &first.generation, vec![0])];
    let wanted = wanted.map(|(user, generation, numbers)| {
        let (user, generation) = (user.clone(), generation.clone());
        WantedParts { user, generation, numbers }
    });
    store.parts(&wanted).await.unwrap();
    store.table_heads(&["ann", "bob"].map(user)).await.unwrap();
    parts_of(&**store, &ann, &generation, &[2, 0, 9]).await.unwrap();

    let asked = quotation("ann");
    store.create_quotation(&asked, &*ports.topic, "1").await.unwrap();
    store.create_quotation(&asked, &*ports.topic, "1").await.unwrap();
    store.quotation(&asked.key).await.unwrap();
    let verdict = Verdict::Answer(Box::new(answer(5)));
    store.settle_quotation(&asked.key, &verdict, now()).await.unwrap();
    let status = QuotationStatus::Answered(Box::new(answer(6)));
    let answered = Quotation { status, ..quotation("bob") };
    store.store_answered(&answered).await.unwrap();
    store.store_answered(&answered).await.unwrap();

    ports.presence.record_process(&process("a")).await.unwrap();
    ports.presence.record_process(&process("b")).await.unwrap();
    ports.presence.process_records().await.unwrap();
    ports.presence.remove_process("a").await.unwrap();

    let orders: Vec<_> = (0..12).map(|number| order(number, 100)).collect();
    ports.queues.send(Queue::Refresh, &orders).await.unwrap();
    ports.queues.send(Queue::Quotation, &[order(1, 70_000)]).await.unwrap();
    let received = ports.queues.receive(Queue::Quotation, 10, secs(5), secs(30)).await.unwrap();
    let receipts: Vec<Receipt> = received.into_iter().map(|message| message.receipt).collect();
    ports.queues.change_visibility(Queue::Quotation, &receipts, secs(60)).await.unwrap();
    ports.queues.acknowledge(Queue::Quotation, &receipts).await.unwrap();
    ports.queues.receive(Queue::Quotation, 10, secs(0), secs(30)).await.unwrap();
    let bodies: Vec<_> = (0..11).map(|number| number.to_string()).collect();
    ports.topic.publish(&bodies).await.unwrap();
}

fn used(usage: &Usage, operation: Operation) -> Used {
    usage.total(|line| (line.resource, line.action) == (operation.resource(), operation.action()))
}

/// Returns the calls, items and thousandths of units of an operation.
fn figures(usage: &Usage, operation: Operation) -> (u64, u64, u64) {
    let used = used(usage, operation);
    (used.calls, used.items, used.milliunits())
}

#[cfg(feature = "aws")]
fn bytes(usage: &Usage, operation: Operation) -> u64 {
    used(usage, operation).bytes
}

pub async fn the_same_work_costs_the_same(ports: Ports) {
    let meter = Arc::new(Meter::new());
    work(&metered(ports, &meter)).await;
    let usage = meter.usage();
    let (read, scan, write) = (Operation::read, Operation::scan, Operation::write);
    let queue = Operation::queue;
    for (operation, expected) in [
        // The rows one by one, and the head five times for each of five loads.
        (write(Resource::Products), (55, 55, 55_000)),
        // The head is an item of the same table.
        (scan(Resource::Products), (1, 31, 1000)),
        // Four keys; the rows, to see their versions; the head 13 times.
        (read(Resource::Products), (15, 14, 47_000)),
        // 500 discounts take 2.2 KB.
        (write(Resource::Discounts), (2, 2, 4000)),
        (read(Resource::Discounts), (2, 2, 5000)),
        // One of two customers, and another read of the version of one that is loaded.
        (write(Resource::Customers), (1, 1, 1000)),
        (read(Resource::Customers), (2, 1, 3000)),
        (scan(Resource::Customers), (1, 1, 1000)),
        // Two lists and three rows, one of which is larger than a KB.
        (write(Resource::PriceLists), (5, 5, 6000)),
        // Five to see their versions, in two loads; a list and two rows by their keys; two lists and three
        // rows listed.
        (read(Resource::PriceLists), (6, 8, 10_000)),
        (scan(Resource::PriceLists), (0, 0, 0)),
        (read(Resource::ActiveUsers), (2, 1, 1000)),
        (write(Resource::ActiveUsers), (1, 1, 1000)),
        // Parts of 1, 1 and 5 KB in one call, a head, and a refused one; twice a part and a head, of which
        // one is refused; a base's part and its index.
        (write(Resource::PricesByUser), (9, 9, 15_000)),
        // Two heads; a part of 5 KB, one of 1 KB and none; a part of 5 KB and two of 1 KB in one call. The
        // index of a base; one of its parts, and one that does not exist.
        (read(Resource::PricesByUser), (5, 9, 13_000)),
        // One is created, refused and settled; one is stored answered, and refused.
        (write(Resource::Quotations), (5, 3, 5000)),
        (read(Resource::Quotations), (1, 1, 1000)),
        // Two processes, one of which leaves.
        (write(Resource::Meter), (3, 3, 3000)),
        (read(Resource::Meter), (1, 2, 500)),
        (queue(Queue::Refresh, Action::Send), (2, 12, 2000)),
        (queue(Queue::Quotation, Action::Send), (1, 1, 2000)),
        (queue(Queue::Quotation, Action::Receive), (1, 1, 2000)),
        (queue(Queue::Quotation, Action::Poll), (1, 0, 1000)),
        (queue(Queue::Quotation, Action::Hide), (1, 1, 1000)),
        (queue(Queue::Quotation, Action::Delete), (1, 1, 1000)),
        (Operation::PUBLISH, (3, 12, 3000)),
        (Operation::FRAME_IN, (2, 2, 2000)),
        (Operation::FRAME_OUT, (2, 2, 2000)),
    ] {
        assert_eq!(figures(&usage, operation), expected, "{operation:?}");
    }
    let unseen = usage.total(|line| line.unit == Unit::GbMillisecond);
    assert!(unseen.is_nothing(), "{unseen:?}");
}

pub async fn usage_is_kept_by_window_and_process(ports: Ports) {
    let record = |window: u64, process: &str, body: &'static str| UsageRecord {
        window,
        process: process.to_owned(),
        body: Bytes::from_static(body.as_bytes()),
        expires_at: now().plus(Window::RETENTION),
    };
    let first = Window::at(now()).number();
    let kept = [record(first, "a", "new"), record(first, "b", "b"), record(first + 1, "a", "next")];
    ports.usage.record_usage(&record(first, "a", "old")).await.unwrap();
    for record in &kept {
        ports.usage.record_usage(record).await.unwrap();
    }
    let read = async |windows: &[u64]| {
        let mut records = ports.usage.usage_records(windows).await.unwrap();
        records.sort_by(|a, b| (a.window, &a.process).cmp(&(b.window, &b.process)));
        records
    };
    assert_eq!(read(&[first - 1, first, first + 1]).await, kept);
    assert_eq!(read(&[first + 1]).await, kept[2..]);
    assert_eq!(read(&[first - 1]).await, []);
    assert_eq!(read(&[]).await, []);
}

/// Tests that what a local AWS counts itself is what is derived without it.
#[cfg(feature = "aws")]
pub async fn what_aws_counts_is_what_is_derived() {
    let aws = super::aws::make_stack().await;
    let clock = Arc::new(ocache::ports::SystemClock);
    let (ports, meter) = (aws.ports(clock, aws.connections(&[])), Arc::new(Meter::new()));
    let before = aws.meter().usage();
    work(&metered(ports, &meter)).await;
    let (derived, counted) = (meter.usage(), aws.meter().usage().since(&before));
    aws.destroy(|_| {}).await.unwrap();
    for operation in Operation::all() {
        // The gateway of this work does not exist, and URLs of queues are requested only on AWS.
        let is_apart = operation.resource() == Resource::Gateway;
        if !is_apart && operation.action() != Action::Inspect {
            assert_eq!(figures(&counted, operation), figures(&derived, operation), "{operation:?}");
        }
        // For a new active user the service returns nothing that could be measured. Before a journal is
        // deleted its keys are read, which only this engine does.
        let is_unseen = operation == Operation::write(Resource::ActiveUsers)
            || operation == Operation::read(Resource::Journal);
        if !is_apart && !is_unseen {
            assert_eq!(bytes(&counted, operation), bytes(&derived, operation), "{operation:?}");
        }
    }
    let measured = counted.total(|line| line.unit == Unit::WriteUnit);
    assert!(measured.measured_milliunits > measured.derived_milliunits, "{measured:?}");
}
