//! Servers behind the balancers, and clients through the proxies, that others wrote.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "tests")]

#[allow(dead_code, reason = "this test uses a part")]
#[path = "../peers_servers/daemon.rs"]
mod daemon;
#[path = "../tools/mod.rs"]
mod tools;

mod behind;
mod haproxy;
mod nginx;
mod proxies;
