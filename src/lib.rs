//! An organic price cache: price tables are kept warm only for the customers who use them.
//!
//! # The map of the house
//!
//! | room | holds |
//! | --- | --- |
//! | [`model`] | ids, times and messages: the types that travel |
//! | [`pricing`] | money, discounts, price tables and their packed form, quotes: pure |
//! | [`tokens`] | who may quote for whom, and the keys that prove it: pure |
//! | [`ports`] | the narrow traits between stages and engines, their outcomes and errors |
//! | [`meter`] | who calls what, why, how many units AWS bills for it, and what they cost |
//! | [`https`] | requests to servers of others, by TLS: knows nothing of the rest |
//! | [`supervisor`] | tasks and threads that must not die unnoticed, and panics: knows nothing of the rest |
//! | [`trace`] | one trace of a quote, from its frame to its push |
//! | [`protocol`] | the frames of the websocket, in both dialects, and their limits |
//! | [`stages`] | subscribe, refresh, price calc, quotation handler, quotation provider |
//! | [`runtime`] | consumers, schedule, breaker, shutdown, metrics, gateway and its page |
//! | [`data`] | product and discount files: read whole or not at all, made from a seed, loaded |
//! | [`cli`] | the command line |
//! | `lambda` | the Lambda functions: event in, stage, outcome out |
//! | [`embedded`] | the engine on one SQLite file |
//! | `aws` | the engine on DynamoDB, SQS, SNS and API Gateway |
//! | [`memory`] | the engine in memory: the reference model that simulations run on |
//! | [`replay`] | past or drawn arrivals against policies, in virtual time, with their bill |
//! | [`simulation`] | the whole system under seeded faults, and the promises it must keep |
//! | [`cost`] | what a stack costs, measured or forecast, and whether precomputing pays |
//! | [`load_generator`] | quotes over many websockets, and how fast and how right they are answered |
//! | [`verify`] | whether stored tables and answers are what products and discounts give |
//!
//! Imports run downwards only:
//! `cli, lambda → runtime → data → stages → protocol → meter, trace → ports → pricing, tokens → model`,
//! every room may see `supervisor` and `https`, and `memory, embedded, aws → meter → ports`. Stages never
//! see an engine, engines never see a stage. Only `aws` and `lambda` see AWS types; `lambda` reads its
//! settings by the definitions of `cli`. The simulation sees all but the command line and the durable
//! engines, and only tests and commands see the simulation. The replay sees the stages, the memory engine,
//! `data` and `meter`, and only the command line and `cost` see it. `verify` sees the ports and what is
//! below them, and draws its samples as `data` draws its rows; so does the load generator, which is a
//! client of `runtime` and knows no stage. Of `runtime` only the page sees `cost` and `verify`, for the
//! views of worth and of an explained price.

#[cfg(feature = "aws")]
pub mod aws;
pub mod cli;
pub mod cost;
pub mod data;
pub mod embedded;
pub mod https;
#[cfg(feature = "aws")]
pub mod lambda;
pub mod load_generator;
pub mod memory;
pub mod meter;
pub mod model;
pub mod ports;
pub mod pricing;
pub mod protocol;
pub mod replay;
pub mod runtime;
pub mod simulation;
pub mod stages;
pub mod supervisor;
pub mod tokens;
pub mod trace;
pub mod verify;
