//! Lines and objects that never end.

use std::time::Duration;

use socketry_apps::matrix::App;
use socketry_codec::{BoxCodec, Fault, Framed};
use socketry_testkit::{Places, Script, in_time};
use socketry_transport::{SendExt, connect};

use crate::served::Served;
use crate::victims::{STREAMS, framed};

/// How much an endless line sends, in bytes: more than what is passed over of one.
const ENDLESS: usize = 40 << 20;

/// tokio-util's `LinesCodec`, as it comes, keeps all of a line that never ends; its documentation
/// warns of it.
#[tokio::test]
async fn an_endless_line_costs_no_more_than_the_limit() {
    let root = tempfile::tempdir().unwrap();
    for (app, codec, begin) in [
        (App::Command, "line", ""),
        (App::Chat, "line", ""),
        (App::Chat, "json:bare", r#"{"text":""#),
        (App::File, "json:bare", r#"{"opt":""#),
    ] {
        let served = Served::start(app, codec, root.path()).await;
        let mut attacker = connect(&served.at).await.unwrap();
        attacker.send_all(begin.as_bytes()).await.unwrap();
        let chunk = vec![b'a'; 256 << 10];
        let pour = async {
            for _ in 0..ENDLESS / chunk.len() {
                // Being hung up on is what is wanted.
                if attacker.send_all(&chunk).await.is_err() {
                    break;
                }
            }
        };
        in_time(codec, pour).await;
        served.is_alive().await;
        // The longest frame once as it grows and once more as it is moved to a larger buffer.
        let grown = served.grown();
        assert!(grown < 28 << 20, "{app} {codec}: {grown} bytes more");
    }
}

/// How long this thread has been computing: a machine that is busy with something else does not
/// count.
fn computed() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(told.split(' ').next().unwrap().parse().unwrap())
}

/// asynchronous-codec looked at 2 MB of JSON that never closes again for every piece of it that
/// came. Nor is what is here moved for every piece.
#[tokio::test]
async fn what_never_ends_is_looked_at_and_moved_once() {
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
        // For each of 32,768 pieces once more all that was here before it, a megabyte on the
        // average, would be minutes.
        assert!(took < Duration::from_secs(5), "{codec}: {took:?}");
        assert!(script.largest_room() <= 64 << 10);
    }
}

/// A parser that calls itself for every bracket ends with its stack. Behind a length the brackets
/// are for `serde_json`, which gives up on the 128th.
#[tokio::test]
async fn nesting_a_hundred_thousand_deep() {
    let places = Places::new();
    for scheme in STREAMS {
        for open in ["[", "{\"a\":", "[{\"a\":"] {
            let deep = format!("{{\"a\":{}", open.repeat(100_000));
            let (mut attacker, mut victim) =
                framed(&places.free(scheme), "json:bare".parse().unwrap()).await;
            let attack = tokio::spawn(async move { attacker.send_all(deep.as_bytes()).await });
            let error = in_time(scheme, victim.recv()).await.unwrap_err();
            assert_eq!(error.codec_fault(), Some(&Fault::TooDeep { max: 128 }));
            assert!(error.is_fatal());
            // Who stopped reading closes; how that ends for the attacker is its own affair.
            drop(victim);
            let _ = attack.await.unwrap();
        }
    }
}

/// The same, as deep as a header may be long, against each app.
#[tokio::test]
async fn no_app_falls_to_nesting() {
    let root = tempfile::tempdir().unwrap();
    for app in App::ALL {
        for codec in ["json", "json:bare"] {
            let served = Served::start(app, codec, root.path()).await;
            for key in ["from", "text", "run", "argv", "opt", "digest", "unknown"] {
                let depth = if codec == "json" { 32_000 } else { 100_000 };
                let deep = format!("{{\"{key}\":{}1{}}}", "[".repeat(depth), "]".repeat(depth));
                let mut attacker = connect(&served.at).await.unwrap();
                if codec == "json" {
                    let length = i32::try_from(deep.len()).unwrap();
                    attacker.send_all(&length.to_ne_bytes()).await.unwrap();
                }
                // It may hang up before it has read all of that.
                let _ = attacker.send_all(deep.as_bytes()).await;
            }
            served.is_alive().await;
        }
    }
}
