//! The structure of the house, checked: who depends on whom, who may name what, that every part is in
//! its registry, and how large files and functions are.

mod dependencies;
mod names;
mod registries;
mod sizes;
