//! The structure of the house, checked: who depends on whom, who may name what, that every part is in
//! its registry, how large files and functions are, and what the scripts' functions answer.

mod dependencies;
mod names;
mod registries;
mod scripts;
mod sizes;
