//! Tests of the whole engine: against scripted answers, which can fail as AWS does and a local AWS does
//! not; against a local AWS; and against the definitions in `infra/`.

mod agreeing;
mod connecting;
mod failing;
mod keeping_keys;
mod loading;
mod provisioning;
mod pushing;
mod queueing;
mod script;
mod settling;
mod sizing;
mod storing;
