//! The sockets that a service manager passes, as its environment names them
//! (`sd_listen_fds(3)`: `LISTEN_PID`, `LISTEN_FDS`, `LISTEN_FDNAMES`).

use std::os::fd::RawFd;

/// The first descriptor that a service manager passes (`SD_LISTEN_FDS_START`).
const FIRST: RawFd = 3;

/// The name of a socket that the service manager gave none (`sd_listen_fds_with_names(3)`).
const UNNAMED: &str = "unknown";

/// A socket that was passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Passed {
    pub(super) number: RawFd,
    pub(super) name: String,
}

/// The sockets that were passed to the process `own`, where `variable` reads the environment.
///
/// # Errors
/// In words, if there are none, or if they were passed to another process.
pub(super) fn passed(
    own: u32,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Vec<Passed>, String> {
    let (Some(count), Some(pid)) = (variable("LISTEN_FDS"), variable("LISTEN_PID")) else {
        return Err(
            "no service manager has passed sockets: LISTEN_FDS or LISTEN_PID is not set".into(),
        );
    };
    if pid.trim().parse() != Ok(own) {
        return Err(format!(
            "the sockets were passed to process {pid}, and this is process {own}: a program in \
             between, such as a shell, must start this one with exec"
        ));
    }
    let wrong = || format!("LISTEN_FDS is {count:?}, and not a number of sockets");
    let count: u16 = count.trim().parse().map_err(|_| wrong())?;
    let names = variable("LISTEN_FDNAMES").unwrap_or_default();
    let mut names = names.split(':').filter(|name| !name.is_empty());
    let all = (FIRST..FIRST + RawFd::from(count)).map(|number| Passed {
        number,
        name: names.next().unwrap_or(UNNAMED).to_owned(),
    });
    Ok(all.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed_by(variables: &[(&str, &str)]) -> Result<Vec<Passed>, String> {
        passed(7, |wanted| {
            let found = variables.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn sockets_have_the_names_of_the_service_manager() {
        let all = passed_by(&[
            ("LISTEN_PID", "7"),
            ("LISTEN_FDS", "3"),
            ("LISTEN_FDNAMES", "web:admin"),
        ]);
        let names = [(3, "web"), (4, "admin"), (5, "unknown")];
        let wanted = names.map(|(number, name)| Passed {
            number,
            name: name.to_owned(),
        });
        assert_eq!(all, Ok(wanted.to_vec()));
    }

    #[test]
    fn sockets_of_another_process_are_told_with_both_numbers() {
        let words = passed_by(&[("LISTEN_PID", "6"), ("LISTEN_FDS", "1")]).expect_err("not ours");
        assert!(
            words.contains("process 6") && words.contains("process 7"),
            "{words}"
        );
    }

    #[test]
    fn a_process_without_a_service_manager_is_told_so() {
        let words = passed_by(&[("LISTEN_PID", "7")]).expect_err("none");
        assert!(words.contains("LISTEN_FDS"), "{words}");
        let words = passed_by(&[("LISTEN_PID", "7"), ("LISTEN_FDS", "-1")]).expect_err("none");
        assert!(words.contains("-1"), "{words}");
    }
}
