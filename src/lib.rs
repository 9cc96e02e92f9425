//! ocache answers price requests at once for B2B sellers who negotiate prices with each customer.
//!
//! # The map of modules
//!
//! | module | holds |
//! | --- | --- |
//! | [`model`] | ids, times and messages: the types that travel |
//! | [`pricing`] | money, discounts, price tables and their packed form, quotes; pure |
//! | [`tokens`] | who may quote for whom, and the keys that sign the tokens; pure |
//! | [`ports`] | the narrow traits between stages and engines, with their outcomes and errors |
//! | [`meter`] | which stage makes which calls and why, the units that AWS bills, and their cost |
//! | [`https`] | TLS requests to other servers; uses no other module |
//! | [`supervisor`] | tasks and threads that must not die unnoticed, and panics; uses no other module |
//! | [`trace`] | one trace of a quote, from its frame to its push |
//! | [`protocol`] | the frames of the websocket, in both dialects, and their limits |
//! | [`stages`] | subscribe, refresh, price calc, quotation handler, quotation provider |
//! | [`runtime`] | consumers, schedule, breaker, shutdown, metrics, gateway and its page |
//! | [`data`] | files of products, prices and customers: reading, generating from a seed, loading |
//! | [`cli`] | the command line |
//! | `lambda` | the Lambda functions: event in, stage, outcome out |
//! | [`embedded`] | the engine on one SQLite file |
//! | `aws` | the engine on DynamoDB, SQS, SNS and API Gateway |
//! | [`memory`] | the engine in memory: the reference model that simulations run on |
//! | [`replay`] | past or generated arrivals against policies, in virtual time, with their bill |
//! | [`simulation`] | the whole system under seeded faults, and the promises it must keep |
//! | [`cost`] | what a stack costs, measured or forecast, and whether precomputing pays |
//! | [`load_generator`] | quotes over many websockets, and how fast and how correctly they are answered |
//! | [`verify`] | whether stored tables and answers agree with products and discounts |
//!
//! Imports go downwards only:
//! `cli, lambda → runtime → data → stages → protocol → meter, trace → ports → pricing, tokens → model`,
//! and `memory, embedded, aws → meter → ports`. Every module may use `supervisor` and `https`. Stages never
//! use an engine, and engines never use a stage. Only `aws` and `lambda` use AWS types; `lambda` reads its
//! settings by the definitions of `cli`.
//!
//! The simulation may use all modules but the command line and the durable engines; only tests and commands
//! use the simulation. The replay uses the stages, the memory engine, `data` and `meter`; only the command
//! line and `cost` use it. `verify` uses the ports and what is below them. It writes amounts and draws its
//! samples as `data` does. The load generator draws as `data` does too. It is a client of `runtime` and uses
//! no stage. In `runtime` only the page uses `cost` and `verify`, for its views of worth and of an explained
//! price.

#![deny(unsafe_code)]

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
