//! Fuzzes packed quotations, their outcomes, and the destinations of their answers: raw bytes, and fields
//! with the checksum that they need. The first byte says which of them the input is.
//!
//! What is accepted reads the same when it is packed again, and when this target's own encoder writes it. A
//! quotation can be answered in both dialects.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ocache::model::{ConnectionId, ConnectionRef, Dialect, QuotationKey, Timestamp};
use ocache::ports::{FailureReason, Quotation, QuotationStatus, pack_target, unpack_target};
use ocache::pricing::{Answer, Rule, RuleKind, Scope};
use ocache::protocol::{render_accepted, render_quotation};
use ocache_fuzz::{seal, sealed, signed, text, varint};

fuzz_target!(|input: &[u8]| {
    let Some((kind, fields)) = input.split_first() else { return };
    match kind % 6 {
        0 => look_at(fields),
        1 => quotation(&sealed(VERSION, fields)),
        2 => status(&sealed(VERSION, fields)),
        3 => quotation(&seal(fields)),
        4 => status(&seal(fields)),
        _ => target(&seal(fields)),
    }
});

/// The version of quotations. [`seal`] writes the version before, which can still be read.
const VERSION: u8 = 2;

fn look_at(raw: &[u8]) {
    quotation(raw);
    status(raw);
    target(raw);
}

fn quotation(packed: &[u8]) {
    // The first key was made by ocache, the second has an id that a client chose.
    for key in ["q_3y0wrc41fhgk4kxf73ak0k797t", "1df4832771bb9a879faf9fa284e52267/1"] {
        let key = QuotationKey::stored(key).expect("it is one");
        let Ok(quotation) = Quotation::unpack(key.clone(), packed) else { return };
        for packed in [quotation.pack().expect("it can be packed"), encode(&quotation)] {
            assert_eq!(Quotation::unpack(key.clone(), &packed).expect("it was packed"), quotation);
        }
        render(quotation);
    }
}

fn status(packed: &[u8]) {
    let Ok(status) = QuotationStatus::unpack(packed) else { return };
    let mut fields = vec![];
    put_status(&mut fields, &status, 0, 0);
    for packed in [status.pack().expect("it can be packed"), sealed(VERSION, &fields)] {
        assert_eq!(QuotationStatus::unpack(&packed).expect("it was packed"), status);
    }
}

fn target(packed: &[u8]) {
    let Ok((connection, dialect)) = unpack_target(packed) else { return };
    let mut fields = vec![];
    put_target(&mut fields, &connection, dialect);
    for packed in [pack_target(&connection, dialect).expect("it can be packed"), seal(&fields)] {
        assert_eq!(unpack_target(&packed).expect("it was packed"), (connection.clone(), dialect));
    }
}

fn render(mut quotation: Quotation) {
    let now = Timestamp::from_secs(1_800_000_000);
    for dialect in [Dialect::Current, Dialect::Original] {
        quotation.dialect = dialect;
        let text = render_quotation(&quotation, now).expect("a quotation renders");
        serde_json::from_str::<serde_json::Value>(&text).expect("as JSON");
        render_accepted(&quotation.request_id, dialect).expect("an acknowledgement renders");
    }
}

/// Encodes a quotation. The id is there even if the key has it, and the answer never refers to an item by
/// position.
fn encode(quotation: &Quotation) -> Vec<u8> {
    let mut out = vec![1];
    text(&mut out, quotation.request_id.as_str());
    text(&mut out, quotation.user.as_str());
    varint(&mut out, quotation.items.len() as u64);
    for item in &quotation.items {
        text(&mut out, item.product.as_str());
        signed(&mut out, item.quantity.thousandths());
    }
    let nowhere = ConnectionRef {
        endpoint: String::new(),
        id: ConnectionId::stored("-").expect("it is an id"),
    };
    put_target(&mut out, quotation.connection.as_ref().unwrap_or(&nowhere), quotation.dialect);
    let accepted = quotation.accepted_at.millis();
    signed(&mut out, accepted);
    signed(&mut out, quotation.deadline.millis().wrapping_sub(accepted));
    signed(&mut out, quotation.expires_at.millis().wrapping_sub(accepted));
    put_status(&mut out, &quotation.status, quotation.items.len(), accepted);
    sealed(VERSION, &out)
}

fn put_target(out: &mut Vec<u8>, connection: &ConnectionRef, dialect: Dialect) {
    text(out, &connection.endpoint);
    text(out, connection.id.as_str());
    out.push(match dialect {
        Dialect::Current => 0,
        Dialect::Original => 1,
    });
}

fn put_status(out: &mut Vec<u8>, status: &QuotationStatus, items: usize, accepted: i64) {
    match status {
        QuotationStatus::Pending => out.push(0),
        QuotationStatus::Answered(answer) => {
            out.push(1);
            put_answer(out, answer, items, accepted);
        }
        QuotationStatus::Failed(reason) => {
            out.push(2);
            put_reason(out, reason);
        }
    }
}

fn put_reason(out: &mut Vec<u8>, reason: &FailureReason) {
    match reason {
        FailureReason::DeadlinePassed => out.push(0),
        FailureReason::EmptyCatalogue => out.push(1),
        FailureReason::NoTable => out.push(2),
        FailureReason::AnswerTooLarge => out.push(3),
        FailureReason::TotalTooLarge(why) => {
            out.push(4);
            text(out, why);
        }
    }
}

/// Writes an answer. Every line has its own rule, although many have the same.
fn put_answer(out: &mut Vec<u8>, answer: &Answer, items: usize, accepted: i64) {
    let (lines, unavailable) = (&answer.lines, &answer.unavailable);
    // Everything that the answer names, after the items.
    varint(out, (lines.len() + unavailable.len() + answer.invalid.len()) as u64);
    for line in lines {
        text(out, line.product.as_str());
        signed(out, line.quantity.thousandths());
    }
    for product in unavailable {
        text(out, product.as_str());
        signed(out, 1000);
    }
    for item in &answer.invalid {
        text(out, item.product.as_str());
        signed(out, item.quantity.thousandths());
    }
    let rules: Vec<&Rule> = lines.iter().filter_map(|line| line.rule.as_deref()).collect();
    varint(out, rules.len() as u64);
    rules.iter().for_each(|rule| put_rule(out, rule));
    varint(out, lines.len() as u64);
    let mut rule = 0;
    for (line, place) in lines.iter().zip(items as u64..) {
        varint(out, place);
        text(out, &line.name);
        optional(out, line.list_price, |out, price| signed(out, price.minor()));
        signed(out, line.discount.millionths());
        signed(out, line.unit_price.minor());
        signed(out, line.total.minor());
        optional(out, line.rule.as_ref(), |out, _| {
            varint(out, rule);
            rule += 1;
        });
        optional(out, line.next_tier, |out, tier| {
            signed(out, tier.quantity.thousandths());
            signed(out, tier.unit_price.minor());
        });
    }
    varint(out, unavailable.len() as u64);
    let first = (items + lines.len()) as u64;
    (first..).take(unavailable.len()).for_each(|place| varint(out, place));
    varint(out, answer.invalid.len() as u64);
    let first = first + unavailable.len() as u64;
    for (item, place) in answer.invalid.iter().zip(first..) {
        varint(out, place);
        optional(out, item.below, |out, quantity| signed(out, quantity.thousandths()));
        optional(out, item.above, |out, quantity| signed(out, quantity.thousandths()));
    }
    signed(out, answer.total.minor());
    text(out, answer.currency.code());
    out.push(answer.unit_decimals);
    signed(out, answer.priced_at.millis().wrapping_sub(accepted));
    signed(out, answer.validated_at.millis().wrapping_sub(accepted));
    signed(out, answer.answered_at.millis().wrapping_sub(accepted));
    out.push(u8::from(answer.stale));
    text(out, answer.generation.as_str());
    varint(out, answer.catalogue_version);
    varint(out, u64::from(answer.pricing_version));
}

fn put_rule(out: &mut Vec<u8>, rule: &Rule) {
    optional(out, rule.list.as_ref(), |out, list| text(out, list.as_str()));
    signed(out, i64::from(rule.priority));
    optional(out, rule.scope.as_ref(), |out, scope| match scope {
        Scope::All => out.push(0),
        Scope::Category(category) => {
            out.push(1);
            text(out, category.as_str());
        }
        Scope::Product(product) => {
            out.push(2);
            text(out, product.as_str());
        }
    });
    match rule.kind {
        RuleKind::Price => out.push(0),
        RuleKind::Percentage(rate) => {
            out.push(1);
            signed(out, rate.millionths());
        }
        RuleKind::Amount => out.push(2),
    }
    varint(out, rule.min_quantity.thousandths());
    optional(out, rule.until, |out, until| signed(out, until.millis()));
}

fn optional<T>(out: &mut Vec<u8>, value: Option<T>, put: impl FnOnce(&mut Vec<u8>, T)) {
    out.push(u8::from(value.is_some()));
    if let Some(value) = value {
        put(out, value);
    }
}
