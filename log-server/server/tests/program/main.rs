//! `stele-log` as an operator starts it.

mod operator;
mod schemas;
