//! TODO

use std::process::ExitCode;

use clap::Subcommand;

use crate::AppError;
use crate::cli::Common;

/// The arguments
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Serve
    Serve {
        /// Where to listen
        #[arg(value_name = "URL", default_value = crate::service::DEFAULT_URL)]
        url: String,
    },
}

pub(crate) async fn run(args: Args) -> Result<ExitCode, AppError> {
    let service = args.common.service();
    let Verb::Serve { url } = args.verb;
    let url = crate::cli::reachable(&url)?;
    let listener = service.listen(crate::matrix::App::Chat, &url).await?;
    crate::cli::announce(socketry_transport::Listener::local(&listener))?;
    crate::serving::accept_until(listener, crate::serving::told_to_end(), |_| async {}).await?;
    Ok(ExitCode::SUCCESS)
}
