//! Usage by the lines of a bill.

use std::ops::AddAssign;

use crate::model::named;

named! {
    /// A line of a bill, by its name in price lists and output. They are in the order of a bill.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum Line {
        /// DynamoDB: write units on demand.
        WriteUnits => "write_units",
        /// DynamoDB: read units on demand, counted in halves.
        ReadUnits => "read_units",
        /// DynamoDB: stored data, counted in byte-hours.
        Storage => "storage_gb_months",
        /// SQS: requests of FIFO queues.
        FifoRequests => "fifo_requests",
        /// SQS: requests of standard queues.
        StandardRequests => "standard_requests",
        /// SNS: requests.
        TopicRequests => "topic_requests",
        /// Lambda: invocations.
        Invocations => "invocations",
        /// Lambda: time on arm64, counted in MB-milliseconds.
        Arm64 => "arm64_gb_seconds",
        /// Lambda: time on x86-64, counted in MB-milliseconds.
        X86 => "x86_64_gb_seconds",
        /// API Gateway: messages of websockets.
        WebsocketMessages => "websocket_messages",
        /// API Gateway: connection minutes of websockets.
        WebsocketMinutes => "websocket_minutes",
        /// CloudWatch: ingested logs, counted in bytes.
        Logs => "logs_gb",
    }
}

named! {
    /// A service of AWS, by the name that AWS uses. They are in the order of a bill.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub enum Service {
        /// Tables.
        DynamoDb => "DynamoDB",
        /// Queues.
        Sqs => "SQS",
        /// The topic.
        Sns => "SNS",
        /// Functions.
        Lambda => "Lambda",
        /// Websockets.
        ApiGateway => "API Gateway",
        /// Logs.
        CloudWatch => "CloudWatch",
    }
}

impl Line {
    /// The service that bills it.
    #[must_use]
    pub const fn service(self) -> Service {
        match self {
            Self::WriteUnits | Self::ReadUnits | Self::Storage => Service::DynamoDb,
            Self::FifoRequests | Self::StandardRequests => Service::Sqs,
            Self::TopicRequests => Service::Sns,
            Self::Invocations | Self::Arm64 | Self::X86 => Service::Lambda,
            Self::WebsocketMessages | Self::WebsocketMinutes => Service::ApiGateway,
            Self::Logs => Service::CloudWatch,
        }
    }

    /// The number of counted parts in one priced unit.
    #[must_use]
    pub const fn parts(self) -> u128 {
        match self {
            Self::ReadUnits => 2,
            Self::Storage => 1024 * 1024 * 1024 * HOURS_A_MONTH as u128,
            Self::Arm64 | Self::X86 => 1024 * 1000,
            Self::Logs => 1024 * 1024 * 1024,
            _ => 1,
        }
    }

    /// Converts parts into priced units.
    #[must_use]
    pub fn units(self, parts: u128) -> f64 {
        parts as f64 / self.parts() as f64
    }
}

/// The hours that AWS counts for a month.
pub const HOURS_A_MONTH: f64 = 730.0;

/// The usage of each line, in the parts of [`Line::parts`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BilledUsage([u128; Line::ALL.len()]);

impl BilledUsage {
    /// Adds parts to a line.
    pub fn add(&mut self, line: Line, parts: impl Into<u128>) {
        self.0[line as usize] += parts.into();
    }

    /// Returns the parts of a line.
    #[must_use]
    pub const fn of(&self, line: Line) -> u128 {
        self.0[line as usize]
    }
}

impl AddAssign<&Self> for BilledUsage {
    fn add_assign(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(sum, parts)| *sum += parts);
    }
}
