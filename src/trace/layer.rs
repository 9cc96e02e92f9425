//! Collects the spans of this room, and hands those that are over to the exporter.

use std::fmt;
use std::time::{Instant, SystemTime};

use rand::Rng as _;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Span, Subscriber};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use super::exporter::Sender;
use super::finished::{Finished, Kind, Value};
use super::sampler::Sampler;
use super::{Systems, TraceContext};

/// A span that is not over yet.
struct Open {
    context: TraceContext,
    parent: Option<u64>,
    name: &'static str,
    began: (SystemTime, Instant),
    fields: Fields,
}

/// What the fields of a span say.
#[derive(Default)]
struct Fields {
    kind: Kind,
    traceparent: Option<TraceContext>,
    error: Option<String>,
    attributes: Vec<(&'static str, Value)>,
}

/// The layer that collects spans, for a subscriber that is based on a [`Registry`].
pub struct SpanCollector {
    sender: Sender,
    sampler: Sampler,
    systems: Systems,
}

impl SpanCollector {
    pub(super) const fn new(sender: Sender, sampler: Sampler, systems: Systems) -> Self {
        Self { sender, sampler, systems }
    }

    /// Where a span stands: below its parent, or at the head of a trace of its own.
    fn place(&self, parent: Option<TraceContext>) -> TraceContext {
        let mut chance = rand::rng();
        let span = chance.next_u64().max(1);
        parent.map_or_else(
            || {
                let high = u128::from(chance.next_u64().max(1));
                let trace = high << 64 | u128::from(chance.next_u64());
                TraceContext { trace, span, sampled: self.sampler.takes_root(trace) }
            },
            |parent| TraceContext { span, sampled: self.sampler.takes_child(parent), ..parent },
        )
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for SpanCollector {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let within = || {
            let mut around = span.scope().skip(1);
            around.find_map(|span| span.extensions().get::<Open>().map(|open| open.context))
        };
        let parent = fields.traceparent.take().or_else(within);
        let system = match fields.kind {
            Kind::Consumer => Some(self.systems.queues),
            Kind::Producer => Some(self.systems.topic),
            _ => None,
        };
        let system = system.map(|name| ("messaging.system", Value::Text(name.to_owned())));
        fields.attributes.extend(system);
        let open = Open {
            context: self.place(parent),
            parent: parent.map(|parent| parent.span),
            name: attributes.metadata().name(),
            began: (SystemTime::now(), Instant::now()),
            fields,
        };
        span.extensions_mut().insert(open);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(open) = span.extensions_mut().get_mut::<Open>()
        {
            values.record(&mut open.fields);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let span = context.span(&id);
        let open = span.and_then(|span| span.extensions_mut().remove::<Open>());
        if let Some(open) = open.filter(|open| open.context.sampled) {
            self.sender.send(open.finish());
        }
    }
}

impl Open {
    fn finish(self) -> Finished {
        let (began, since) = self.began;
        let Fields { kind, error, attributes, .. } = self.fields;
        Finished {
            context: self.context,
            parent: self.parent,
            name: self.name,
            kind,
            began,
            // By the clock that never goes back.
            ended: began.checked_add(since.elapsed()).unwrap_or(began),
            attributes,
            error,
        }
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, text: &str) {
        match field.name() {
            "otel.kind" => {
                self.kind = match text {
                    "server" => Kind::Server,
                    "client" => Kind::Client,
                    "producer" => Kind::Producer,
                    "consumer" => Kind::Consumer,
                    _ => Kind::Internal,
                }
            }
            "traceparent" => self.traceparent = text.parse().ok(),
            "error" => self.error = Some(text.to_owned()),
            name => self.attributes.push((name, Value::Text(text.to_owned()))),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }

    fn record_i64(&mut self, field: &Field, count: i64) {
        self.attributes.push((field.name(), Value::Count(count)));
    }

    fn record_u64(&mut self, field: &Field, count: u64) {
        self.record_i64(field, i64::try_from(count).unwrap_or(i64::MAX));
    }
}

/// The innermost span of this room that the running task is in.
pub(super) fn current() -> Option<TraceContext> {
    let found = Span::current().with_subscriber(|(id, subscriber)| {
        let span = subscriber.downcast_ref::<Registry>()?.span(id)?;
        let mut scope = span.scope();
        scope.find_map(|span| span.extensions().get::<Open>().map(|open| open.context))
    });
    found.flatten()
}
