//! By which way packets leave: the options `interface` and `mark`.

use socketry_transport::{SendExt, connect};

use crate::alone::alone;
use crate::far::{CABLES, Far, here};

/// Tells from where each datagram came.
const RECEIVER: &str = "
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('0.0.0.0', 7000))
for device in ('10.9.0.2', '10.8.0.2'):
    group = socket.inet_aton('239.1.1.1') + socket.inet_aton(device)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
say('ready')
while True:
    data, (host, port) = s.recvfrom(100)
    say(data.decode(), host)
";

/// Tells from where each connection came.
const SERVER: &str = "
l = socket.create_server(('0.0.0.0', 7000))
say('ready')
while True:
    s, (host, port) = l.accept()
    say(host)
    s.close()
";

async fn said(to: &str, words: &str) {
    let mut socket = connect(to).await.unwrap();
    socket.send_all(words.as_bytes()).await.unwrap();
}

#[test]
fn datagrams_leave_by_the_interface_of_the_option() {
    let name = "leaving::datagrams_leave_by_the_interface_of_the_option";
    let routes = "ip route add 239.0.0.0/8 dev va";
    alone(name, &format!("{CABLES}{routes}"), async {
        let mut far = Far::start(RECEIVER).await;
        assert_eq!(far.says().await, "ready");
        for host in ["10.9.0.2", "239.1.1.1"] {
            said(&format!("udp://{host}:7000"), "plain").await;
            assert_eq!(far.says().await, "plain 10.9.0.1", "{host}");
            for interface in ["vc", "va"] {
                let from = if interface == "vc" {
                    "10.8.0.1"
                } else {
                    "10.9.0.1"
                };
                let to = format!("udp://{host}:7000?interface={interface}");
                said(&to, interface).await;
                assert_eq!(far.says().await, format!("{interface} {from}"), "{host}");
            }
        }
    });
}

/// A rule of routing knows the packets by their mark.
#[test]
fn a_mark_is_seen_by_the_rules_of_routing() {
    let name = "leaving::a_mark_is_seen_by_the_rules_of_routing";
    alone(name, CABLES, async {
        let mut far = Far::start(SERVER).await;
        assert_eq!(far.says().await, "ready");
        here("ip route add 10.9.0.2 via 10.8.0.2 dev vc table 5").await;
        here("ip rule add fwmark 0x5 table 5").await;
        for (mark, from) in [("0x5", "10.8.0.1"), ("4", "10.9.0.1"), ("5", "10.8.0.1")] {
            let to = format!("tcp://10.9.0.2:7000?mark={mark}");
            let _socket = connect(&*to).await.unwrap();
            assert_eq!(far.says().await, from, "{mark}");
        }
    });
}
