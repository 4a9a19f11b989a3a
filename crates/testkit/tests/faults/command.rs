//! Commands: the received output is a prefix of the real one. If the answer says that it is
//! complete, it is.

use std::time::Duration;

use socketry_apps::AppError;
use socketry_apps::command::{Client, Exit, Policy, Server, Stream};
use socketry_transport::Endpoint;

use crate::cell::Mood;
use crate::world::World;

/// A command, and its output.
struct Sample {
    line: &'static str,
    stdout: String,
    stderr: &'static str,
    code: i32,
}

fn samples() -> [Sample; 3] {
    let numbers = (1..=300).map(|number| format!("{number}\n"));
    [
        Sample {
            line: "echo out; echo err >&2; exit 3",
            stdout: "out\n".to_owned(),
            stderr: "err\n",
            code: 3,
        },
        Sample {
            line: "seq 300",
            stdout: numbers.collect(),
            stderr: "",
            code: 0,
        },
        Sample {
            line: "true",
            stdout: String::new(),
            stderr: "",
            code: 0,
        },
    ]
}

pub(crate) async fn check(world: &World) {
    let server = Server::bind(&world.service, &world.at, Policy::AllowAny)
        .await
        .unwrap();
    let at = server.local().clone();
    let serving = world.serve(|stop| server.run(stop));
    let samples = samples();
    let first = usize::try_from(world.seed).unwrap() % samples.len();
    if tells_the_end(world) {
        for _ in 0..2 {
            converse(world, &at, &samples).await;
        }
    } else {
        // Each takes as long as the quiet gap.
        converse(world, &at, &samples[first..=first]).await;
    }
    world.calm();
    let after = async {
        let mut client = connect(world, &at).await.unwrap();
        let (exit, out, _) = run(&mut client, "echo again").await;
        (exit.is_ok(), out)
    };
    let (done, out) = world.surely("to run after all that", after).await;
    assert!(
        done && out == b"again\n",
        "{world}: after all that: {out:?}"
    );
    world.stop(serving).await;
}

/// Whether the codec marks the end of an answer.
fn tells_the_end(world: &World) -> bool {
    !matches!(world.cell.codec, "raw" | "line")
}

async fn connect(world: &World, at: &Endpoint) -> Result<Client, AppError> {
    let gap = match world.mood {
        Mood::Harmless => Duration::from_secs(1),
        _ => Duration::from_millis(200),
    };
    Ok(Client::connect(&world.service, at).await?.quiet_gap(gap))
}

/// Runs these over one connection, as long as it lasts.
async fn converse(world: &World, at: &Endpoint, samples: &[Sample]) {
    let mut client = match world.patiently("to connect", connect(world, at)).await {
        Some(Ok(client)) => client,
        Some(Err(error)) => return world.is_clear(&error),
        None => return,
    };
    for sample in samples {
        let Some((exit, out, err)) = world
            .patiently(sample.line, run(&mut client, sample.line))
            .await
        else {
            return;
        };
        let stdout = String::from_utf8_lossy(&out);
        let stderr = String::from_utf8_lossy(&err);
        match exit {
            Ok(exit) => {
                let right = sample.is(world, &exit, &stdout, &stderr);
                assert!(
                    right,
                    "{world}: {}: {exit:?}, {stdout:?}, {stderr:?}",
                    sample.line
                );
            }
            Err(error) => {
                world.is_clear(&error);
                let begun = sample.answer(world).starts_with(&*stdout);
                assert!(
                    begun && sample.stderr.starts_with(&*stderr),
                    "{world}: {stdout:?}, {stderr:?}"
                );
                // Bytes that come later would be taken for the next answer.
                return;
            }
        }
        if !tells_the_end(world) && *stdout != *sample.answer(world) {
            return;
        }
    }
}

async fn run(client: &mut Client, line: &str) -> (Result<Exit, AppError>, Vec<u8>, Vec<u8>) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = client.run(line, |stream, bytes| {
        match stream {
            Stream::Stdout => out.extend_from_slice(bytes),
            Stream::Stderr => err.extend_from_slice(bytes),
        }
        Ok(())
    });
    (exit.await, out, err)
}

impl Sample {
    /// The bytes of standard output that arrive. If the codec does not mark the end, that is
    /// standard error if there is any, and a newline for an empty answer.
    fn answer(&self, world: &World) -> String {
        match (tells_the_end(world), self.stderr, &*self.stdout) {
            (true, _, stdout) => stdout.to_owned(),
            (false, "", "") => "\n".to_owned(),
            (false, "", stdout) => stdout.to_owned(),
            (false, stderr, _) => stderr.to_owned(),
        }
    }

    /// Whether an answer without an error is right.
    fn is(&self, world: &World, exit: &Exit, stdout: &str, stderr: &str) -> bool {
        let answer = self.answer(world);
        match (tells_the_end(world), world.mood) {
            (true, _) => {
                *exit == Exit::Code(self.code) && stdout == answer && stderr == self.stderr
            }
            (false, Mood::Harmless) => stdout == answer,
            (false, _) => answer.starts_with(stdout),
        }
    }
}
