//! A name stands for all its addresses, and a listener at it serves them all.

use socketry_transport::{
    Endpoint, ErrorKind, Half, Listener, RecvExt, SendExt, TcpTransport, Transport, UdpTransport,
    connect, listen,
};

use crate::alone::alone;

/// Names of the test's own, all of whose addresses this machine has but for 192.0.2.9 and
/// 2001:db8::9.
const NAMES: &str = "cat > /tmp/hosts.$$ <<E\n\
    ::1 both\n127.0.0.1 both\n127.0.0.1 both\n\
    2001:db8::9 half\n127.0.0.1 half\n\
    127.0.0.1 three\n127.0.0.2 three\n127.0.0.3 three\n\
    2001:db8::9 none\n192.0.2.9 none\n\
    E\nmount --bind /tmp/hosts.$$ /etc/hosts; rm /tmp/hosts.$$";

/// What `test` needs, without the indentation of this file.
fn setup() -> String {
    NAMES.replace("\\n", "\n")
}

fn at(url: &str) -> Endpoint {
    url.parse().unwrap()
}

fn hosts(locals: &[Endpoint]) -> Vec<String> {
    let mut hosts: Vec<_> = locals
        .iter()
        .map(|local| local.host().unwrap().into_owned())
        .collect();
    hosts.sort_unstable();
    hosts
}

/// A client at each address that a listener has reaches it, and is answered.
async fn serves_all(mut listener: impl Listener) {
    for local in listener.locals() {
        let mut client = connect(&local).await.unwrap();
        client.send_all(b"ask").await.unwrap();
        let mut accepted = listener.accept().await.unwrap();
        assert_eq!(accepted.local(), &local);
        let mut buf = [0; 10];
        let (len, _) = accepted.recv(&mut buf).await.unwrap();
        accepted.send_all(&buf[..len]).await.unwrap();
        assert_eq!(client.recv(&mut buf).await.unwrap().0, 3);
    }
}

#[test]
fn all_are_served_on_one_port() {
    alone("names::all_are_served_on_one_port", &setup(), async {
        for scheme in ["tcp", "udp"] {
            for (name, due) in [
                ("both", &["127.0.0.1", "::1"][..]),
                ("three", &["127.0.0.1", "127.0.0.2", "127.0.0.3"]),
            ] {
                let listener = listen(at(&format!("{scheme}://{name}:0"))).await.unwrap();
                let locals = listener.locals();
                assert_eq!(hosts(&locals), due, "{scheme}");
                assert_eq!(&locals[0], listener.local());
                let port = locals[0].port();
                assert!(port != Some(0) && locals.iter().all(|local| local.port() == port));
                serves_all(listener).await;
            }
        }
    });
}

#[test]
fn what_the_machine_has_not_is_left_out_and_told() {
    alone(
        "names::what_the_machine_has_not_is_left_out_and_told",
        &setup(),
        async {
            let tcp = TcpTransport::default()
                .listen(&at("tcp://half:0"))
                .await
                .unwrap();
            assert_eq!(hosts(&tcp.locals()), ["127.0.0.1"]);
            let [left_out] = tcp.left_out() else {
                panic!("{:?}", tcp.left_out())
            };
            assert_eq!(left_out.kind(), ErrorKind::NotAvailable);
            assert!(left_out.to_string().contains("[2001:db8::9]"), "{left_out}");
            serves_all(tcp).await;

            let udp = UdpTransport::default()
                .listen(&at("udp://half:0"))
                .await
                .unwrap();
            assert_eq!(udp.left_out().len(), 1);
            serves_all(udp).await;
            let bound = UdpTransport::default()
                .bind(&at("udp://half:0"))
                .await
                .unwrap();
            use socketry_transport::DatagramSocket;
            assert_eq!(bound.local().host().as_deref(), Some("127.0.0.1"));
        },
    );
}

#[test]
fn where_none_can_be_had_the_first_error_is_told() {
    alone(
        "names::where_none_can_be_had_the_first_error_is_told",
        &setup(),
        async {
            for scheme in ["tcp", "udp"] {
                let refused = listen(at(&format!("{scheme}://none:0"))).await.unwrap_err();
                assert_eq!(refused.kind(), ErrorKind::NotAvailable);
                assert!(refused.to_string().contains("[2001:db8::9]"), "{refused}");
            }
        },
    );
}

/// Else a part of the clients would reach the program that has it.
#[test]
fn an_address_in_use_is_no_address_to_leave_out() {
    alone(
        "names::an_address_in_use_is_no_address_to_leave_out",
        &setup(),
        async {
            for scheme in ["tcp", "udp"] {
                let other = listen(at(&format!("{scheme}://127.0.0.2:0")))
                    .await
                    .unwrap();
                let port = other.local().port().unwrap();
                let refused = listen(at(&format!("{scheme}://three:{port}"))).await;
                let refused = refused.unwrap_err();
                assert_eq!(refused.kind(), ErrorKind::InUse);
                assert!(refused.to_string().contains("127.0.0.2"), "{refused}");
                // What was bound before it is free again.
                listen(at(&format!("{scheme}://127.0.0.1:{port}")))
                    .await
                    .unwrap();
            }
        },
    );
}

/// The port that the system chooses for the first address may be taken at the next.
#[test]
fn a_port_that_is_taken_elsewhere_is_not_chosen() {
    // Two ports to choose from, one of them in use at the second address.
    let setup = format!(
        "{}\necho 40000 40001 > /proc/sys/net/ipv4/ip_local_port_range",
        setup()
    );
    alone(
        "names::a_port_that_is_taken_elsewhere_is_not_chosen",
        &setup,
        async {
            for scheme in ["tcp", "udp"] {
                let _other = listen(at(&format!("{scheme}://127.0.0.2:40000")))
                    .await
                    .unwrap();
                for _ in 0..20 {
                    // By chance the same port comes up each time, one in 65,536.
                    let listener = listen(at(&format!("{scheme}://three:0"))).await.unwrap();
                    assert!(
                        listener
                            .locals()
                            .iter()
                            .all(|local| local.port() == Some(40001))
                    );
                    drop(listener);
                    // The task that receives for sessions has the port until it has ended.
                    while std::net::UdpSocket::bind("127.0.0.3:40001").is_err() {
                        tokio::task::yield_now().await;
                    }
                }
            }
        },
    );
}

#[test]
fn connecting_tries_one_after_the_other() {
    alone(
        "names::connecting_tries_one_after_the_other",
        &setup(),
        async {
            for scheme in ["tcp", "udp"] {
                let mut listener = listen(at(&format!("{scheme}://127.0.0.1:0")))
                    .await
                    .unwrap();
                let port = listener.local().port().unwrap();
                let mut client = connect(at(&format!("{scheme}://half:{port}")))
                    .await
                    .unwrap();
                assert_eq!(client.peer(), listener.local());
                client.send_all(b"x").await.unwrap();
                listener.accept().await.unwrap();
            }
        },
    );
}
