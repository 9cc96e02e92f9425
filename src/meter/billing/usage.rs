//! Usage by the lines of a bill.

use std::ops::AddAssign;

/// A line of a bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Line {
    /// DynamoDB: write units on demand.
    WriteUnits,
    /// DynamoDB: read units on demand, counted in halves.
    ReadUnits,
    /// DynamoDB: stored data, counted in byte-hours.
    Storage,
    /// SQS: requests of FIFO queues.
    FifoRequests,
    /// SQS: requests of standard queues.
    StandardRequests,
    /// SNS: requests.
    TopicRequests,
    /// Lambda: invocations.
    Invocations,
    /// Lambda: time on arm64, counted in MB-milliseconds.
    Arm64,
    /// Lambda: time on x86-64, counted in MB-milliseconds.
    X86,
    /// API Gateway: messages of websockets.
    WebsocketMessages,
    /// API Gateway: connection minutes of websockets.
    WebsocketMinutes,
    /// CloudWatch: ingested logs, counted in bytes.
    Logs,
}

/// A service of AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// Tables.
    DynamoDb,
    /// Queues.
    Sqs,
    /// The topic.
    Sns,
    /// Functions.
    Lambda,
    /// Websockets.
    ApiGateway,
    /// Logs.
    CloudWatch,
}

impl Service {
    /// All services, in the order of a bill.
    pub const ALL: [Self; 6] =
        [Self::DynamoDb, Self::Sqs, Self::Sns, Self::Lambda, Self::ApiGateway, Self::CloudWatch];

    /// The name that AWS uses.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DynamoDb => "DynamoDB",
            Self::Sqs => "SQS",
            Self::Sns => "SNS",
            Self::Lambda => "Lambda",
            Self::ApiGateway => "API Gateway",
            Self::CloudWatch => "CloudWatch",
        }
    }
}

impl Line {
    /// All lines, in the order of a bill.
    pub const ALL: [Self; 12] = [
        Self::WriteUnits,
        Self::ReadUnits,
        Self::Storage,
        Self::FifoRequests,
        Self::StandardRequests,
        Self::TopicRequests,
        Self::Invocations,
        Self::Arm64,
        Self::X86,
        Self::WebsocketMessages,
        Self::WebsocketMinutes,
        Self::Logs,
    ];

    /// The name in price lists and output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::WriteUnits => "write_units",
            Self::ReadUnits => "read_units",
            Self::Storage => "storage_gb_months",
            Self::FifoRequests => "fifo_requests",
            Self::StandardRequests => "standard_requests",
            Self::TopicRequests => "topic_requests",
            Self::Invocations => "invocations",
            Self::Arm64 => "arm64_gb_seconds",
            Self::X86 => "x86_64_gb_seconds",
            Self::WebsocketMessages => "websocket_messages",
            Self::WebsocketMinutes => "websocket_minutes",
            Self::Logs => "logs_gb",
        }
    }

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
}

impl Line {
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
pub struct Usage([u128; Line::ALL.len()]);

impl Usage {
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

impl AddAssign<&Self> for Usage {
    fn add_assign(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(sum, parts)| *sum += parts);
    }
}
