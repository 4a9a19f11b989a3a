//! What an endpoint takes: an idle connection holds two.

use allocation_counter::measure;
use socketry_transport::Endpoint;

#[test]
fn an_endpoint_is_small_and_a_clone_is_free() {
    assert_eq!(size_of::<Endpoint>(), size_of::<usize>());
    let text = "tcp://[2001:db8:1234:5678:9abc:def0:1234:5678]:65535";
    let mut at = None;
    let made = measure(|| at = Some(text.parse::<Endpoint>().unwrap()));
    let most = u64::try_from(48 + text.len()).unwrap();
    let left = u64::try_from(made.bytes_current).unwrap();
    assert!(left <= most, "it holds {left} bytes, of at most {most}");

    let at = at.unwrap();
    let views = measure(|| {
        let same = at.clone();
        assert_eq!(same, at);
        assert!(same.socket_addr().is_some() && same.port() == Some(65535));
        assert!(same.host().is_some() && same.scheme() == "tcp");
    });
    assert_eq!(views.count_total, 0);
}
