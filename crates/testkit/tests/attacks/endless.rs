//! Lines and objects that never end.

use std::time::Duration;

use socketry_apps::matrix::App;
use socketry_codec::{BoxCodec, Fault, Framed};
use socketry_testkit::{Places, Script, in_time};
use socketry_transport::SendExt;

use crate::served::Served;
use crate::victims::{STREAMS, connect, framed, free, over_each};

/// The length of an endless line in bytes: more than is passed over of one.
const ENDLESS: usize = 40 << 20;

/// tokio-util's `LinesCodec` by default keeps all of a line that never ends, as its documentation
/// warns.
#[tokio::test]
async fn an_endless_line_costs_no_more_than_the_limit() {
    let root = tempfile::tempdir().unwrap();
    let attacked = [
        (App::Command, "line", ""),
        (App::Chat, "line", ""),
        (App::Chat, "json:bare", r#"{"text":""#),
        (App::File, "json:bare", r#"{"opt":""#),
    ];
    for (scheme, (app, codec, begin)) in over_each(attacked) {
        let served = Served::start(app, scheme, codec, root.path()).await;
        let mut attacker = connect(&served.at).await.unwrap();
        attacker.send_all(begin.as_bytes()).await.unwrap();
        let chunk = vec![b'a'; 256 << 10];
        let pour = async {
            for _ in 0..ENDLESS / chunk.len() {
                // The test wants the connection to be closed.
                if attacker.send_all(&chunk).await.is_err() {
                    break;
                }
            }
        };
        in_time(codec, pour).await;
        served.is_alive().await;
        // The longest frame once as it grows, and once more when it is moved to a larger buffer.
        let grown = served.grown();
        assert!(
            grown < 28 << 20,
            "{app} {scheme} {codec}: {grown} bytes more"
        );
    }
}

/// The processor time of this thread. Other work of the machine does not count.
fn computed() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(told.split(' ').next().unwrap().parse().unwrap())
}

/// asynchronous-codec scanned 2 MB of unfinished JSON again for every piece that arrived. The
/// buffered bytes are also not moved for every piece.
#[tokio::test]
async fn endless_input_is_scanned_and_moved_once() {
    for (codec, begin, go_on) in [
        ("json:bare", "{\"a\":\"", b'a'),
        ("json:bare", "{\"a\":[", b','),
        ("line", "", b'a'),
    ] {
        let mut object = begin.as_bytes().to_vec();
        object.resize(2 << 20, go_on);
        let script = Script::stream().arriving(object.chunks(64));
        let mut victim = Framed::new(script.clone(), codec.parse::<BoxCodec>().unwrap());
        let begun = computed();
        let error = in_time("an answer", victim.recv()).await.unwrap_err();
        let took = computed() - begun;
        assert!(
            matches!(error.codec_fault(), Some(Fault::Truncated { have, .. }) if *have == 2 << 20)
        );
        // To scan all earlier bytes again for each of 32,768 pieces, a megabyte on average, would
        // take minutes.
        assert!(took < Duration::from_secs(5), "{codec}: {took:?}");
        assert!(script.largest_room() <= 64 << 10);
    }
}

/// A recursive parser overflows its stack. After a length field the brackets are for `serde_json`,
/// which gives up at the 128th.
#[tokio::test]
async fn nesting_a_hundred_thousand_deep() {
    let places = Places::new();
    for scheme in STREAMS {
        for open in ["[", "{\"a\":", "[{\"a\":"] {
            let deep = format!("{{\"a\":{}", open.repeat(100_000));
            let (mut attacker, mut victim) =
                framed(&free(&places, scheme), "json:bare".parse().unwrap()).await;
            let attack = tokio::spawn(async move { attacker.send_all(deep.as_bytes()).await });
            let error = in_time(scheme, victim.recv()).await.unwrap_err();
            assert_eq!(error.codec_fault(), Some(&Fault::TooDeep { max: 128 }));
            assert!(error.is_fatal());
            // The server stops reading and closes. How that ends for the attacker does not matter.
            drop(victim);
            let _ = attack.await.unwrap();
        }
    }
}

/// The same, as deep as a header may be long, against each app.
#[tokio::test]
async fn no_app_falls_to_nesting() {
    let root = tempfile::tempdir().unwrap();
    for (scheme, app) in over_each(App::ALL) {
        for codec in ["json", "json:bare"] {
            let served = Served::start(app, scheme, codec, root.path()).await;
            for key in ["from", "text", "run", "argv", "opt", "digest", "unknown"] {
                let depth = if codec == "json" { 32_000 } else { 100_000 };
                let deep = format!("{{\"{key}\":{}1{}}}", "[".repeat(depth), "]".repeat(depth));
                let mut attacker = connect(&served.at).await.unwrap();
                if codec == "json" {
                    let length = i32::try_from(deep.len()).unwrap();
                    attacker.send_all(&length.to_ne_bytes()).await.unwrap();
                }
                // The server may close before it has read all of that.
                let _ = attacker.send_all(deep.as_bytes()).await;
            }
            served.is_alive().await;
        }
    }
}
