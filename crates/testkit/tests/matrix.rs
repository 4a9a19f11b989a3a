//! Every app over every transport and codec: it works, or it is refused at the start, in one line
//! with the reason and an alternative. The README's table says exactly the same.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fmt::Write;
use std::path::Path;

use socketry_apps::matrix::{self, App};
use socketry_apps::{AppError, Service};
use socketry_testkit::scenario::{self, Effort};
use socketry_testkit::{Places, in_time};

/// The result of a cell: it serves, or the words of its refusal.
async fn cell(app: App, scheme: &str, codec: &str) -> Result<(), AppError> {
    let places = Places::new();
    let service = Service::with_codec(codec).unwrap();
    let what = format!("{app} over {scheme} with {codec}");
    let at = places.free(scheme);
    let running = scenario::run(app, &service, &at, Effort::SMALL);
    match in_time(&what, running).await {
        Ok(_) => Ok(()),
        Err(refused) if refused.is_usage() => Err(refused),
        Err(error) => panic!("{what}: {error}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_cell_serves_or_is_refused_and_the_readme_says_so() {
    let mut table = String::from("| app | transport |");
    for codec in matrix::CODECS {
        write!(table, " `{codec}` |").unwrap();
    }
    table.push_str("\n|---|---|");
    table.push_str(&"---|".repeat(matrix::CODECS.len()));
    let mut notes: Vec<String> = Vec::new();
    for app in App::ALL {
        let layered = matrix::TLS_SCHEMES.into_iter().chain(matrix::WS_SCHEMES);
        for scheme in matrix::SCHEMES.into_iter().chain(layered) {
            write!(table, "\n| {app} | `{scheme}` |").unwrap();
            for codec in matrix::CODECS {
                let told = Service::with_codec(codec).unwrap().check(app, scheme);
                let came_to = cell(app, scheme, codec).await;
                let told = told.map_err(|error| error.to_string());
                assert_eq!(
                    came_to.map_err(|error| error.to_string()),
                    told,
                    "{app} {scheme} {codec}"
                );
                table.push_str(&match told {
                    Ok(()) => " ✓ |".to_owned(),
                    Err(words) => format!(" {} |", note(&mut notes, &words)),
                });
            }
        }
    }
    table.push('\n');
    for (number, words) in notes.iter().enumerate() {
        write!(table, "\n{}. {words}", number + 1).unwrap();
    }
    check_readme(&table);
}

/// The number of the footnote for `words`, without the names of the cell.
fn note(notes: &mut Vec<String>, words: &str) -> String {
    let reason = words.split_once(": ").unwrap().1.to_owned();
    let number = notes
        .iter()
        .position(|known| *known == reason)
        .unwrap_or_else(|| {
            notes.push(reason);
            notes.len() - 1
        });
    format!("[{}]", number + 1)
}

/// Compares the table with the README's. `UPDATE_README=1` writes it there instead.
fn check_readme(table: &str) {
    const BEGIN: &str = "<!-- matrix: written by `UPDATE_README=1 cargo test --test matrix` -->\n";
    const END: &str = "\n<!-- end of matrix -->";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = readme
        .split_once(BEGIN)
        .expect("the README has a place for the table");
    let (found, after) = rest.split_once(END).expect("the table has an end");
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(&path, [before, BEGIN, table, END, after].concat()).unwrap();
        return;
    }
    assert_eq!(
        found, table,
        "the README's table is stale; UPDATE_README=1 cargo test --test matrix writes it"
    );
}
