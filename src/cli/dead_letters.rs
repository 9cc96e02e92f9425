//! `ocache dead-letters`: shows, retries and deletes messages that were given up.

use serde_json::json;

use super::args::{DeadLettersCommand, QueueName, SelectionArgs};
use super::engine::Engine;
use super::failure::{ExitCode, Failure, Result};
use super::output::{Output, number, table};
use super::settings::Settings;
use super::table::whole;
use crate::ports::{DeadLetter, Ports, Queue, Selection};

/// The most dead letters per queue among which `show` searches.
const SEARCHED: usize = 10_000;

pub(super) async fn run(
    settings: &Settings,
    output: &Output,
    command: DeadLettersCommand,
) -> Result<()> {
    let engine = Engine::open_existing(settings, output).await?;
    let ports = engine.ports(None);
    let done = match command {
        DeadLettersCommand::List { queue, limit } => list(&ports, output, queue, limit).await,
        DeadLettersCommand::Show { id } => show(&ports, output, &id).await,
        DeadLettersCommand::Redrive(args) => act(&ports, output, args, LetterAction::Redrive).await,
        DeadLettersCommand::Drop(args) => act(&ports, output, args, LetterAction::Drop).await,
    };
    engine.close().await;
    done
}

#[derive(Clone, Copy)]
enum LetterAction {
    Redrive,
    Drop,
}

fn queues(queue: Option<QueueName>) -> Vec<Queue> {
    match queue {
        None => Queue::ALL.to_vec(),
        Some(QueueName::Refresh) => vec![Queue::Refresh],
        Some(QueueName::Quotation) => vec![Queue::Quotation],
        Some(QueueName::Provider) => vec![Queue::Provider],
    }
}

fn to_json(queue: Queue, letter: &DeadLetter) -> serde_json::Value {
    // Some of these letters are dead because their body is not JSON.
    let body = serde_json::from_str(&letter.body);
    let body: serde_json::Value = body.unwrap_or_else(|_| letter.body.clone().into());
    json!({
        "id": letter.id,
        "queue": queue.name(),
        "group": letter.group,
        "sent_at": letter.sent_at.to_string(),
        "receive_count": letter.receive_count,
        "body": body,
    })
}

async fn list(
    ports: &Ports,
    output: &Output,
    queue: Option<QueueName>,
    limit: usize,
) -> Result<()> {
    let mut letters = Vec::new();
    for queue in queues(queue) {
        let found = ports.dead_letters.dead_letters(queue, limit).await?;
        letters.extend(found.into_iter().map(|letter| (queue, letter)));
    }
    let data: Vec<_> = letters.iter().map(|(queue, letter)| to_json(*queue, letter)).collect();
    output.data(&data, |_| {
        if letters.is_empty() {
            return "no dead letters".to_owned();
        }
        let mut table = table(["id", "queue", "sent at", "received"]);
        for (queue, letter) in &letters {
            let count = letter.receive_count.map_or_else(String::new, |count| count.to_string());
            let sent_at = letter.sent_at.to_string();
            table.add_row([
                whole(letter.id.as_str()),
                queue.name().into(),
                sent_at.into(),
                number(count),
            ]);
        }
        table.to_string()
    })
}

async fn show(ports: &Ports, output: &Output, id: &str) -> Result<()> {
    for queue in Queue::ALL {
        let letters = ports.dead_letters.dead_letters(queue, SEARCHED).await?;
        if let Some(letter) = letters.iter().find(|letter| letter.id == id) {
            let data = to_json(queue, letter);
            // People read a single letter best as JSON, too.
            return output.data(&data, |data| format!("{data:#}"));
        }
    }
    Err(not_found(&[id.to_owned()]))
}

async fn act(
    ports: &Ports,
    output: &Output,
    args: SelectionArgs,
    action: LetterAction,
) -> Result<()> {
    let selection = if args.all { Selection::All } else { Selection::Ids(args.ids.clone()) };
    let mut count = 0;
    for queue in queues(args.queue) {
        count += match action {
            LetterAction::Redrive => ports.dead_letters.redrive(queue, &selection).await?,
            LetterAction::Drop => ports.dead_letters.drop_dead_letters(queue, &selection).await?,
        };
    }
    let (name, done) = match action {
        LetterAction::Redrive => ("redriven", "sent to their queue again"),
        LetterAction::Drop => ("dropped", "deleted"),
    };
    output.data(&json!({ name: count }), |_| format!("{count} {done}"))?;
    if count == 0 && !args.all { Err(not_found(&args.ids)) } else { Ok(()) }
}

fn not_found(ids: &[String]) -> Failure {
    let message = format!("there is no dead letter `{}`", ids.join("`, `"));
    Failure::new(ExitCode::NotFound, message).hint("`ocache dead-letters list` shows their ids")
}
