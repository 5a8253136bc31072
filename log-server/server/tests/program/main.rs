//! `stele-log` as an operator starts it, and what it says of a log whose files are damaged.

mod fsck;
mod operator;
mod schemas;
