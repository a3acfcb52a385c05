//! Controllers and the scheduler against a store in memory, with simulated kubelets, in virtual time and
//! under faults: requests that are refused or meet a conflict, answers that are lost, watches that break,
//! leaders that change, nodes that are slow. The rules are checked after every single change.
//!
//! Each seed is another run, and the same one whenever it is run: the clock, the dice and the order in which tasks wake
//! are the simulation's. `SEEDS=n` runs so many of each scenario,
//! `SEED=n` that one again, `STORY=FILE` writes every change of it. Absent: the API server (validation, defaults, admission), networks, storage.

mod budgets;
mod clocks;
mod faults;
mod gangs;
mod inputs;
mod kubelets;
mod objects;
mod owners;
mod refusals;
mod room;
mod rules;
mod run;
mod schedules;
mod workloads;
