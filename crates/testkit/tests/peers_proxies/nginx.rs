//! nginx: `proxy_protocol on` of its streams, which is version 1.

use std::path::Path;

use socketry_proxy::{Origin, Version};
use socketry_transport::{Half, SendExt};

use crate::behind::{Backend, header, talk};
use crate::daemon::{Daemon, command, directory, free_port};
use crate::tools;

const MODULE: &str = "/usr/lib/nginx/modules/ngx_stream_module.so";

/// nginx, which listens at `at` and passes on to a port of this machine.
fn start(directory: &Path, at: &str, port: u16) -> Daemon {
    let place = directory.display();
    let config = format!(
        "load_module {MODULE};\n daemon off;\n master_process off;\n pid {place}/pid;\n\
         error_log {place}/errors;\n events {{}}\n\
         stream {{ server {{ listen {at}; proxy_pass 127.0.0.1:{port}; proxy_protocol on; }} }}\n"
    );
    let file = directory.join("nginx.conf");
    std::fs::write(&file, config).unwrap();
    let (file, place) = (file.to_str().unwrap(), format!("{place}"));
    let errors = format!("{place}/errors");
    let arguments = ["-p", &place, "-e", &errors, "-c", file];
    Daemon::start(&mut command("nginx", &arguments), directory)
}

fn has_nginx() -> bool {
    tools::has("nginx") && tools::has_file(MODULE)
}

#[tokio::test]
async fn a_client_is_told() {
    if !has_nginx() {
        return;
    }
    let mut backend = Backend::at("tcp://127.0.0.1:0?proxy_from=127.0.0.1").await;
    let (place, port) = (directory(), free_port());
    let at = format!("127.0.0.1:{port}");
    let mut nginx = start(place.path(), &at, backend.port());
    let mut client = nginx.connect(&format!("tcp://{at}")).await;
    let mut accepted = backend.accept().await;
    assert_eq!(accepted.peer(), client.local());
    assert_eq!(header(&accepted).version(), Version::V1);
    talk(&mut client, &mut accepted).await;
}

#[tokio::test]
async fn ipv4_over_a_bind_of_both_is_ipv4() {
    if !has_nginx() {
        return;
    }
    let mut backend = Backend::at("tcp://127.0.0.1:0?proxy_from=127.0.0.1").await;
    let (place, port) = (directory(), free_port());
    let at = format!("[::]:{port} ipv6only=off");
    let mut nginx = start(place.path(), &at, backend.port());
    let client = nginx.connect(&format!("tcp://127.0.0.1:{port}")).await;
    assert_eq!(backend.accept().await.peer(), client.local());
}

/// Behind another balancer it says `TCP6` for a client's address, with an IPv4 address of its own.
#[tokio::test]
async fn what_another_balancer_told_it_is_told() {
    if !has_nginx() {
        return;
    }
    let mut backend = Backend::at("tcp://127.0.0.1:0?proxy_from=127.0.0.1").await;
    let (place, port) = (directory(), free_port());
    let at = format!("127.0.0.1:{port} proxy_protocol; set_real_ip_from 127.0.0.1");
    let mut nginx = start(place.path(), &at, backend.port());
    let mut client = nginx.connect(&format!("tcp://127.0.0.1:{port}")).await;
    let line = b"PROXY TCP6 2001:db8::1 2001:db8::2 4711 80\r\n";
    client.send_all(line).await.unwrap();
    let mut accepted = backend.accept().await;
    assert_eq!(accepted.peer().to_string(), "tcp://[2001:db8::1]:4711");
    talk(&mut client, &mut accepted).await;
}

#[tokio::test]
async fn a_client_of_its_unix_socket_has_no_address() {
    if !has_nginx() {
        return;
    }
    let mut backend = Backend::at("tcp://127.0.0.1:0?proxy_from=127.0.0.1").await;
    let place = directory();
    let path = place.path().join("in").display().to_string();
    let mut nginx = start(place.path(), &format!("unix:{path}"), backend.port());
    let mut client = nginx.connect(&format!("unix://{path}")).await;
    let mut accepted = backend.accept().await;
    assert_eq!(header(&accepted).origin(), &Origin::Unknown);
    talk(&mut client, &mut accepted).await;
}
