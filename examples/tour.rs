//! The tour
fn main() {}
