//! unbound, which answers otherwise than dnsmasq: it leads an SRV name through an alias, and cuts
//! at another length.

use std::net::IpAddr;
use std::process::Command;

use socketry_names::Names;
use socketry_testkit::in_time;
use socketry_transport::{ErrorKind, Resolve};

use crate::dnsmasq::{Dnsmasq, running};
use crate::tools;

/// One that knows these records, and no other of `example`.
fn unbound(records: &str) -> Option<(Dnsmasq, tempfile::TempDir)> {
    if !tools::has("unbound") {
        return None;
    }
    let (directory, port) = (tempfile::tempdir().unwrap(), tools::free_port());
    let place = directory.path().display();
    let config = format!(
        r#"server:
            interface: 127.0.0.1
            port: {port}
            username: ""
            chroot: ""
            directory: "{place}"
            pidfile: ""
            use-syslog: no
            do-daemonize: no
            module-config: "iterator"
            local-zone: "example." static
            {records}
        "#
    );
    let path = directory.path().join("config");
    std::fs::write(&path, config).unwrap();
    let mut command = Command::new("unbound");
    command.arg("-d").arg("-c").arg(path);
    Some((running(command, port), directory))
}

#[tokio::test]
async fn it_is_understood() {
    let mut records = String::from(
        "local-data: \"a.example. A 192.0.2.1\"\n\
         local-data: \"a.example. AAAA 2001:db8::1\"\n\
         local-data: \"_chat._tcp.example. SRV 10 5 9000 a.example.\"\n\
         local-data: \"_gone._tcp.example. SRV 0 0 0 .\"\n\
         local-data: \"empty.example. TXT none\"\n",
    );
    for port in 1..=400 {
        records += &format!("local-data: \"_many._tcp.example. SRV 1 1 {port} a.example.\"\n");
    }
    let Some((server, _directory)) = unbound(&records) else {
        return;
    };
    let names = Names::servers([server.at]);
    let found = in_time("an answer", names.addresses("a.example"))
        .await
        .unwrap();
    assert_eq!(found.len(), 2);
    assert!(found.contains(&"2001:db8::1".parse::<IpAddr>().unwrap()));
    let found = in_time("an answer", names.services("_chat._tcp.example"))
        .await
        .unwrap();
    assert_eq!(
        (found[0].priority, found[0].weight, found[0].port),
        (10, 5, 9000)
    );
    let found = in_time("an answer", names.services("_gone._tcp.example"))
        .await
        .unwrap();
    assert_eq!(found[0].target, ".");
    let found = in_time("an answer", names.services("_many._tcp.example"))
        .await
        .unwrap();
    assert_eq!(found.len(), 400);
    for (name, words) in [
        ("empty.example", "has no address"),
        ("nothing.example", "there is no name nothing.example"),
    ] {
        let error = in_time("an error", names.addresses(name))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains(words), "{error}");
    }
}
