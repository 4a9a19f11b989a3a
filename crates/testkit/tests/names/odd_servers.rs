//! DNS servers that are silent, that answer too much, or that lead in circles.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use socketry_names::Names;
use socketry_testkit::in_time;
use socketry_transport::{ErrorKind, Resolve};
use tokio::net::UdpSocket;

use crate::dnsmasq::Dnsmasq;

const SERVICE: &str = "_chat._tcp.example";

#[tokio::test]
async fn a_silent_server_costs_the_deadline_and_no_more() {
    let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let at = server.local_addr().unwrap();
    let names = Names::servers([at]).deadline(Duration::from_millis(300));
    for error in [
        in_time("an error", names.services(SERVICE))
            .await
            .unwrap_err(),
        in_time("an error", names.addresses("a.example"))
            .await
            .unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(
            error.to_string().contains("do not answer within 300ms"),
            "{error}"
        );
    }
    // It was asked, and it is not asked any more.
    let mut buf = [0; 512];
    assert!(in_time("a question", server.recv(&mut buf)).await.is_ok());
}

/// hickory-resolver does not hear of the refusal: its sockets are not connected.
#[tokio::test]
async fn a_server_that_is_not_there_costs_the_deadline_too() {
    let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let at = server.local_addr().unwrap();
    drop(server);
    let names = Names::servers([at]).deadline(Duration::from_millis(300));
    let error = in_time("an error", names.addresses("a.example")).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::TimedOut);
    let none: [SocketAddr; 0] = [];
    let error = in_time("an error", Names::servers(none).addresses("a.example")).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Unreachable);
}

#[tokio::test]
async fn the_next_server_answers_for_a_silent_one() {
    let Some(dns) = Dnsmasq::start(["--host-record=a.example,192.0.2.1"]) else {
        return;
    };
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let names = Names::servers([silent.local_addr().unwrap(), dns.at]);
    let found = in_time("an answer", names.addresses("a.example"))
        .await
        .unwrap();
    assert_eq!(found, ["192.0.2.1".parse::<IpAddr>().unwrap()]);
}

/// 300 records do not fit into a datagram: the server cuts its answer, and is asked over TCP.
#[tokio::test]
async fn an_answer_that_was_cut_is_asked_for_over_tcp() {
    let records = (1..=300).map(|port| format!("--srv-host={SERVICE},s{port}.example,{port},1,1"));
    let Some(dns) = Dnsmasq::start(records) else {
        return;
    };
    let found = in_time("an answer", Names::servers([dns.at]).services(SERVICE))
        .await
        .unwrap();
    let mut ports: Vec<_> = found.iter().map(|one| one.port).collect();
    ports.sort_unstable();
    assert_eq!(ports, (1..=300).collect::<Vec<u16>>());
}

#[tokio::test]
async fn an_answer_is_bounded() {
    let records = (1..=1500).map(|port| format!("--srv-host={SERVICE},s.example,{port},1,1"));
    let Some(dns) = Dnsmasq::start(records) else {
        return;
    };
    let found = in_time("an answer", Names::servers([dns.at]).services(SERVICE))
        .await
        .unwrap();
    assert_eq!(found.len(), 1024);
}

#[tokio::test]
async fn search_domains_complete_hosts_and_no_services() {
    let Some(dns) = Dnsmasq::start([
        "--local=/search/",
        "--host-record=short.in.search,192.0.2.1",
        "--host-record=a.b.in.search,192.0.2.2",
        "--srv-host=_chat._tcp.example.in.search,short.in.search,9000",
    ]) else {
        return;
    };
    let names = Names::servers([dns.at]).search(["in.search"]);
    for (host, due) in [("short", "192.0.2.1"), ("a.b", "192.0.2.2")] {
        let found = in_time("an answer", names.addresses(host)).await.unwrap();
        assert_eq!(found, [due.parse::<IpAddr>().unwrap()], "{host}");
    }
    // A dot at the end says that it is whole.
    let error = in_time("an error", names.addresses("a.b."))
        .await
        .unwrap_err();
    assert_ne!(error.kind(), ErrorKind::TimedOut, "{error}");
    let error = in_time("an error", names.services(SERVICE))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
}

/// The form in ASCII is what is asked for (RFC 5890).
#[tokio::test]
async fn letters_beyond_ascii_are_asked_for_in_their_other_form() {
    let Some(dns) = Dnsmasq::start([
        "--host-record=xn--bcher-kva.example,192.0.2.1",
        "--srv-host=_chat._tcp.xn--bcher-kva.example,xn--bcher-kva.example,9000",
    ]) else {
        return;
    };
    let names = Names::servers([dns.at]);
    let found = in_time("an answer", names.addresses("B\u{fc}cher.example"))
        .await
        .unwrap();
    assert_eq!(found, ["192.0.2.1".parse::<IpAddr>().unwrap()]);
    let name = "_chat._tcp.b\u{fc}cher.example";
    let found = in_time("an answer", names.services(name)).await.unwrap();
    assert_eq!(found[0].target, "xn--bcher-kva.example.");
}

/// Answers each question with an alias that leads to `next` of the question's name.
async fn aliases(next: fn(&[u8]) -> Vec<u8>) -> SocketAddr {
    let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let at = server.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buf = [0; 1500];
        while let Ok((len, from)) = server.recv_from(&mut buf).await {
            let Some(end) = buf[12..len].iter().position(|byte| *byte == 0) else {
                continue;
            };
            let (name, question) = (buf[12..=12 + end].to_vec(), &buf[12..12 + end + 5]);
            let target = next(&name);
            let mut answer = buf[..2].to_vec();
            answer.extend_from_slice(b"\x85\x80\0\x01\0\x01\0\0\0\0");
            answer.extend_from_slice(question);
            answer.extend_from_slice(b"\xC0\x0C\0\x05\0\x01\0\0\0\x3C");
            answer.extend_from_slice(&u16::try_from(target.len()).unwrap().to_be_bytes());
            answer.extend_from_slice(&target);
            let _ = server.send_to(&answer, from).await;
        }
    });
    at
}

#[tokio::test]
async fn an_alias_of_itself_is_an_error() {
    let names = Names::servers([aliases(<[u8]>::to_vec).await]);
    let error = in_time("an error", names.addresses("a.example"))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("a.example"), "{error}");
    in_time("an error", names.services(SERVICE))
        .await
        .unwrap_err();
}

#[tokio::test]
async fn aliases_without_an_end_are_an_error() {
    let longer = |name: &[u8]| [b"\x01a".as_slice(), name].concat();
    let names = Names::servers([aliases(longer).await]);
    let error = in_time("an error", names.addresses("a.example"))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("a.example"), "{error}");
    in_time("an error", names.services(SERVICE))
        .await
        .unwrap_err();
}

/// No server should shorten the target of a record so (RFC 2782), and some do.
#[tokio::test]
async fn a_target_may_point_into_the_question() {
    let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let at = server.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buf = [0; 512];
        while let Ok((_, from)) = server.recv_from(&mut buf).await {
            let mut answer = buf[..2].to_vec();
            answer.extend_from_slice(b"\x85\x80\0\x01\0\x01\0\0\0\0");
            answer.extend_from_slice(&buf[12..12 + b"\x05_chat\x04_tcp\x07example\0".len() + 4]);
            answer.extend_from_slice(b"\xC0\x0C\0\x21\0\x01\0\0\0\x3C\0\x0A");
            // Priority, weight, port, and "a" before the third label of the question.
            answer.extend_from_slice(b"\0\x01\0\x02\x23\x28\x01a\xC0\x17");
            let _ = server.send_to(&answer, from).await;
        }
    });
    let found = in_time("an answer", Names::servers([at]).services(SERVICE)).await;
    let found = found.unwrap();
    assert_eq!((found[0].port, &*found[0].target), (9000, "a.example."));
}

/// Some routers drop each question for IPv6.
#[tokio::test]
async fn a_server_that_never_answers_for_ipv6_costs_a_second() {
    let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let at = server.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buf = [0; 512];
        while let Ok((_, from)) = server.recv_from(&mut buf).await {
            let question = &buf[12..12 + b"\x01a\x07example\0".len() + 4];
            if question[question.len() - 3] != 1 {
                continue;
            }
            let mut answer = buf[..2].to_vec();
            answer.extend_from_slice(b"\x85\x80\0\x01\0\x01\0\0\0\0");
            answer.extend_from_slice(question);
            answer.extend_from_slice(b"\xC0\x0C\0\x01\0\x01\0\0\0\x3C\0\x04\xC0\0\x02\x01");
            let _ = server.send_to(&answer, from).await;
        }
    });
    let names = Names::servers([at]).deadline(Duration::from_secs(20));
    let found = in_time("an answer", names.addresses("a.example"))
        .await
        .unwrap();
    assert_eq!(found, ["192.0.2.1".parse::<IpAddr>().unwrap()]);
}

/// What it has kept is not asked for again, for as long as it holds.
#[tokio::test]
async fn an_answer_is_kept() {
    let Some(dns) = Dnsmasq::start([
        "--host-record=a.example,192.0.2.1,600",
        "--srv-host=_chat._tcp.example,a.example,9000",
        "--local-ttl=600",
    ]) else {
        return;
    };
    let kept = Names::servers([dns.at]).deadline(Duration::from_secs(5));
    let forgetful = kept.clone().cache(0).deadline(Duration::from_millis(500));
    for names in [&kept, &forgetful] {
        in_time("an answer", names.addresses("a.example"))
            .await
            .unwrap();
        in_time("an answer", names.services(SERVICE)).await.unwrap();
    }
    drop(dns);
    in_time("what was kept", kept.addresses("a.example"))
        .await
        .unwrap();
    in_time("what was kept", kept.services(SERVICE))
        .await
        .unwrap();
    in_time("an error", forgetful.services(SERVICE))
        .await
        .unwrap_err();
}
