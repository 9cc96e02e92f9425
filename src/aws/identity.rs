//! The caller's identity at AWS, and where the caller is connected.

use super::client::AwsClients;
use super::errors::Call;
use crate::ports::PortError;

/// The caller, and the place that it is connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The number of the account.
    pub account: String,
    /// The ARN of the user or role.
    pub arn: String,
    /// The region.
    pub region: String,
    /// The endpoint, if it is not AWS's own.
    pub endpoint: Option<String>,
}

impl Identity {
    /// Returns the partition of AWS that the account is in: `aws`, `aws-cn` or `aws-us-gov`.
    fn partition(&self) -> &str {
        self.arn.split(':').nth(1).filter(|partition| !partition.is_empty()).unwrap_or("aws")
    }

    /// Returns the ARN of a resource in this account and region.
    pub(super) fn arn_of(&self, service: &str, name: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{name}", self.partition(), self.region, self.account)
    }
}

impl AwsClients {
    /// Asks AWS for the caller's identity.
    pub(super) async fn identity(&self) -> Result<Identity, PortError> {
        let call = Call::of("GetCallerIdentity", "the AWS account");
        let answer = self.sts.get_caller_identity().send().await;
        let answer = answer.map_err(|error| call.failed(error))?;
        Ok(Identity {
            account: answer.account.ok_or_else(|| call.incomplete("account"))?,
            arn: answer.arn.ok_or_else(|| call.incomplete("arn"))?,
            region: self.region.clone(),
            endpoint: self.endpoint.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_stay_in_the_partition() {
        let identity = Identity {
            account: "123456789012".to_owned(),
            arn: "arn:aws-cn:sts::123456789012:assumed-role/x/y".to_owned(),
            region: "cn-north-1".to_owned(),
            endpoint: None,
        };
        assert_eq!(identity.arn_of("sns", "t"), "arn:aws-cn:sns:cn-north-1:123456789012:t");
    }
}
