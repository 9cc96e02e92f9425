use super::*;
use crate::model::{Generation, QuotationKey, UserId};
use crate::pricing::{Currency, InvalidItem, NextTier, Rule, RuleKind, Scope};

fn quotation(dialect: Dialect, status: QuotationStatus) -> Quotation {
    let user = UserId::new("AAA").unwrap();
    let request_id = RequestId::new("7").unwrap();
    Quotation {
        key: QuotationKey::new(&user, &request_id),
        request_id,
        user,
        items: vec![],
        connection: None,
        dialect,
        accepted_at: Timestamp::default(),
        deadline: Timestamp::from_secs(30),
        expires_at: Timestamp::from_secs(60),
        status,
    }
}

fn answer() -> QuotationStatus {
    QuotationStatus::Answered(Box::new(Answer {
        lines: vec![AnswerLine {
            product: "P1".parse().unwrap(),
            name: "Desk".into(),
            quantity: "2".parse().unwrap(),
            list_price: Some(Money::from_minor(50_000)),
            discount: "10".parse().unwrap(),
            unit_price: Money::from_minor(45_000),
            total: Money::from_minor(90_000),
            rule: None,
            next_tier: None,
        }],
        unavailable: vec!["P9".parse().unwrap()],
        invalid: vec![],
        total: Money::from_minor(90_000),
        currency: Currency::USD,
        unit_decimals: 0,
        priced_at: Timestamp::default(),
        validated_at: Timestamp::from_secs(1),
        answered_at: Timestamp::from_secs(2),
        stale: false,
        generation: Generation::from_random([0; 16]),
        catalogue_version: 1,
        pricing_version: 1,
    }))
}

/// An answer with the fields that price lists need.
fn answer_by_terms() -> QuotationStatus {
    let QuotationStatus::Answered(answer) = answer() else { panic!() };
    let plain = &answer.lines[0];
    let rule = Rule {
        list: Some("gold".parse().unwrap()),
        priority: 7,
        scope: Some(Scope::Category("tools/drills".parse().unwrap())),
        kind: RuleKind::Percentage("-2.5".parse().unwrap()),
        min_quantity: "2".parse().unwrap(),
        until: Some(Timestamp::from_secs(86_400)),
    };
    let unit_price = Money::from_minor(5_125_000);
    let surcharged = AnswerLine {
        list_price: Some(Money::from_minor(5_000_000)),
        discount: "-2.5".parse().unwrap(),
        unit_price,
        total: Money::from_minor(102_500),
        rule: Some(Box::new(rule.clone())),
        next_tier: Some(NextTier {
            quantity: "12".parse().unwrap(),
            unit_price: Money::from_minor(4_999_995),
        }),
        ..plain.clone()
    };
    let (list, kind) = (None, RuleKind::Price);
    let own = Rule { list, kind, scope: None, until: None, ..rule.clone() };
    let without_list_price = AnswerLine {
        list_price: None,
        discount: "0".parse().unwrap(),
        rule: Some(Box::new(own)),
        next_tier: None,
        ..surcharged.clone()
    };
    let all = Rule { scope: Some(Scope::All), kind: RuleKind::Amount, ..rule };
    let for_all = AnswerLine { rule: Some(Box::new(all)), ..surcharged.clone() };
    let invalid = InvalidItem {
        product: "P\"7".parse().unwrap(),
        quantity: "0.5".parse().unwrap(),
        below: None,
        above: Some("12".parse().unwrap()),
    };
    let above = InvalidItem { below: Some("60".parse().unwrap()), above: None, ..invalid.clone() };
    QuotationStatus::Answered(Box::new(Answer {
        lines: vec![surcharged, without_list_price, for_all],
        invalid: vec![invalid, above],
        total: Money::from_minor(307_500),
        unit_decimals: 2,
        ..*answer
    }))
}

#[test]
fn a_frame_with_an_outcome_tells_whose_it_is() {
    let told = |dialect, status| {
        let text = render_quotation(&quotation(dialect, status), Timestamp::default()).unwrap();
        Told::of(text.as_bytes()).map(|told| (told.request_id.into_owned(), told.client))
    };
    let (id, client) = ("7".to_owned(), Some("AAA".to_owned()));
    for status in [answer(), QuotationStatus::Failed(FailureReason::NoTable)] {
        let current = told(Dialect::Current, status.clone());
        assert_eq!(current, Some((id.clone(), client.clone())));
        assert_eq!(told(Dialect::Original, status), Some((id.clone(), None)));
    }
    for dialect in [Dialect::Current, Dialect::Original] {
        assert_eq!(told(dialect, QuotationStatus::Pending), None);
        let request_id = RequestId::new("7").unwrap();
        let accepted = render_accepted(&request_id, dialect).unwrap();
        assert_eq!(Told::of(accepted.as_bytes()), None);
        assert_eq!(Told::of(render_pong(dialect).unwrap().as_bytes()), None);
    }
}

#[test]
fn the_current_dialect() {
    let json = render_quotation(&quotation(Dialect::Current, answer()), Timestamp::default());
    assert_eq!(
        json.unwrap(),
        concat!(
            r#"{"type":"quotation","request_id":"7","client":"AAA","status":"answered","#,
            r#""priced_at":"1970-01-01T00:00:00.000Z","#,
            r#""validated_at":"1970-01-01T00:00:01.000Z","stale":false,"lines":[{"product":"P1","#,
            r#""name":"Desk","quantity":"2","list_price":"500.00","discount_percent":"10","#,
            r#""unit_price":"450.00","total":"900.00"}],"unavailable":["P9"],"#,
            r#""total":"900.00","currency":"USD"}"#
        )
    );
}

#[test]
fn a_line_shows_its_rule_and_the_next_tier() {
    let quotation = quotation(Dialect::Current, answer_by_terms());
    let json = render_quotation(&quotation, Timestamp::default()).unwrap();
    let lines = json.split_once(r#""lines":"#).unwrap().1;
    assert_eq!(
        lines,
        concat!(
            r#"[{"product":"P1","name":"Desk","quantity":"2","list_price":"500.00","#,
            r#""discount_percent":"-2.5","unit_price":"512.50","total":"1025.00","#,
            r#""rule":{"list":"gold","scope":{"category":"tools/drills"},"#,
            r#""kind":"percentage","min_quantity":"2","until":"1970-01-02T00:00:00.000Z"},"#,
            r#""next_tier":{"quantity":"12","unit_price":"499.9995"}},"#,
            r#"{"product":"P1","name":"Desk","quantity":"2","discount_percent":"0","#,
            r#""unit_price":"512.50","total":"1025.00","#,
            r#""rule":{"own":true,"scope":"product","kind":"price","min_quantity":"2"}},"#,
            r#"{"product":"P1","name":"Desk","quantity":"2","list_price":"500.00","#,
            r#""discount_percent":"-2.5","unit_price":"512.50","total":"1025.00","#,
            r#""rule":{"list":"gold","scope":"all","kind":"amount","min_quantity":"2","#,
            r#""until":"1970-01-02T00:00:00.000Z"},"#,
            r#""next_tier":{"quantity":"12","unit_price":"499.9995"}}],"#,
            r#""unavailable":["P9"],"invalid":[{"product":"P\"7","quantity":"0.5","#,
            r#""above":"12"},{"product":"P\"7","quantity":"0.5","below":"60"}],"#,
            r#""total":"3075.00","currency":"USD"}"#
        )
    );
}

#[test]
fn what_is_written_is_what_clients_read() {
    let QuotationStatus::Answered(answer) = answer() else { panic!() };
    let odd = AnswerLine {
        name: "\"Stuhl\"\n\u{1} Ærø".into(),
        quantity: "0.125".parse().unwrap(),
        discount: "12.5".parse().unwrap(),
        ..answer.lines[0].clone()
    };
    let lines = vec![answer.lines[0].clone(), odd];
    let many = Answer { lines, stale: true, ..(*answer).clone() };
    let none = Answer { lines: vec![], unavailable: vec![], ..(*answer).clone() };
    let yen = Answer { currency: "JPY".parse().unwrap(), ..(*answer).clone() };
    let answered = [*answer, many, none, yen].map(|it| QuotationStatus::Answered(it.into()));
    let others = [
        QuotationStatus::Pending,
        QuotationStatus::Failed(FailureReason::NoTable),
        QuotationStatus::Failed(FailureReason::TotalTooLarge("\"P\" is".into())),
    ];
    for status in answered.into_iter().chain([answer_by_terms()]).chain(others) {
        for now in [Timestamp::default(), Timestamp::from_secs(30)] {
            let quotation = quotation(Dialect::Current, status.clone());
            let read = Frame::Quotation(QuotationFrame::new(&quotation, now));
            let written = render_quotation(&quotation, now).unwrap();
            assert_eq!(written, read.to_json().unwrap());
            assert_eq!(serde_json::from_str::<Frame>(&written).unwrap(), read);
        }
    }
    let accepted = render_accepted(&RequestId::new("\"7\"").unwrap(), Dialect::Current);
    let message = "quotation under analysis".to_owned();
    let read = Frame::Accepted { request_id: "\"7\"".into(), message };
    assert_eq!(accepted.unwrap(), read.to_json().unwrap());
}

#[test]
fn the_original_dialect_has_numbers() {
    let json = render_quotation(&quotation(Dialect::Original, answer()), Timestamp::default());
    assert_eq!(
        json.unwrap(),
        concat!(
            r#"{"id":"7","products":[{"product_id":"P1","product_name":"Desk","qtd":2,"#,
            r#""original_value":500.00,"final_value":900.00,"discount":10}],"unavailable":["P9"]}"#
        )
    );
}

#[test]
fn the_original_dialect_shows_the_price_that_counts() {
    let quotation = quotation(Dialect::Original, answer_by_terms());
    let json = render_quotation(&quotation, Timestamp::default()).unwrap();
    let line = |original_value: &str, discount: &str| {
        format!(
            concat!(
                r#"{{"product_id":"P1","product_name":"Desk","qtd":2,"#,
                r#""original_value":{},"final_value":1025.00,"discount":{}}}"#
            ),
            original_value, discount
        )
    };
    let lines = [line("500.00", "-2.5"), line("512.50", "0"), line("500.00", "-2.5")].join(",");
    let unavailable = r#"["P9","P\"7","P\"7"]"#;
    let all = format!(r#"{{"id":"7","products":[{lines}],"unavailable":{unavailable}}}"#);
    assert_eq!(json, all);
}

#[test]
fn a_pending_quotation_fails_at_its_deadline() {
    let quotation = quotation(Dialect::Current, QuotationStatus::Pending);
    let early = QuotationFrame::new(&quotation, Timestamp::from_secs(29));
    assert_eq!(early.status, "pending");
    let late = QuotationFrame::new(&quotation, Timestamp::from_secs(30));
    assert_eq!(late.status, "failed");
    assert_eq!(late.reason, Some(FailureReason::DeadlinePassed.to_string()));
}

#[test]
fn what_fits_one_message_does_in_both_dialects() {
    let QuotationStatus::Answered(small) = answer() else { panic!() };
    let with_names = |name: &str| {
        let line = AnswerLine { name: name.to_owned(), ..small.lines[0].clone() };
        Answer { lines: vec![line; 400], ..(*small).clone() }
    };
    let by_terms = |repeated: usize| {
        let QuotationStatus::Answered(mut answer) = answer_by_terms() else { panic!() };
        answer.lines = vec![answer.lines[0].clone(); repeated];
        answer.invalid = vec![answer.invalid[0].clone(); 400 - repeated];
        *answer
    };
    let names = ["", "Desk", &"n".repeat(150), &"\"".repeat(90), &"\n".repeat(300)];
    let answers = names.map(with_names).into_iter().chain([by_terms(400), by_terms(0)]);
    let mut fitting = vec![];
    for answer in answers {
        let name = answer.lines.first().map(|line| line.name.clone()).unwrap_or_default();
        fitting.push(fits_one_message(&answer));
        for dialect in [Dialect::Current, Dialect::Original] {
            let status = QuotationStatus::Answered(Box::new(answer.clone()));
            let quotation = quotation(dialect, status);
            let text = render_quotation(&quotation, Timestamp::default()).unwrap();
            assert!(text.len() <= MAX_MESSAGE_BYTES || !fitting.last().unwrap(), "{name}");
        }
    }
    assert_eq!(fitting, [true, true, true, true, false, false, true]);
}
