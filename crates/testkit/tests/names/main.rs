//! Names: the laws of resolvers, the layer that finds the servers of a service, and DNS servers
//! that others wrote.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../../../transport/tests/network/alone.rs"]
mod alone;
mod asked;
mod dnsmasq;
mod laws;
mod odd_servers;
mod servers;
mod system;
#[path = "../tools/mod.rs"]
mod tools;
mod trusted;
mod unbound;
