//! Chat: each message reaches all other users, or a user's messages have gaps.

use std::time::Duration;

use socketry_apps::AppError;
use socketry_apps::chat::{Client, Console, Operator, Server};
use socketry_transport::Endpoint;

use crate::cell::Mood;
use crate::heard::{SPEAKERS, Said, judge};
use crate::world::World;

/// How many messages are sent after the users have joined.
const MESSAGES: usize = 9;

struct User {
    client: Client,
    ear: Ear,
}

/// The messages that one user received.
struct Ear {
    speaker: usize,
    /// How many messages had been sent when this user joined.
    came: usize,
    heard: Vec<String>,
}

/// A conversation, and all messages in it.
struct Talk<'a> {
    world: &'a World,
    operator: Operator,
    printed: Vec<String>,
    said: Vec<Said>,
    users: Vec<User>,
    /// Those of users that have left.
    ears: Vec<Ear>,
}

pub(crate) async fn check(world: &World) {
    let server = Server::bind(&world.service, &world.at).await.unwrap();
    let at = server.local().clone();
    let (console, operator) = Console::channel();
    let serving = world.serve(|stop| server.run(console, stop));
    let mut talk = Talk {
        world,
        operator,
        printed: Vec::new(),
        said: Vec::new(),
        users: Vec::new(),
        ears: Vec::new(),
    };
    for speaker in 0..SPEAKERS.len() {
        match connect(world, &at, speaker).await {
            Ok(client) => talk.welcome(speaker, client).await,
            Err(error) => world.is_clear(&error),
        }
    }
    for number in 1..=MESSAGES {
        talk.say(number % SPEAKERS.len(), number).await;
    }
    // All users that were there have left.
    let mut operator = talk.judge();
    serves_others(world, &at, &mut operator).await;
    world.stop(serving).await;
}

async fn connect(world: &World, at: &Endpoint, speaker: usize) -> Result<Client, AppError> {
    let name = (!world.cell.is_sticky()).then_some(SPEAKERS[speaker].0);
    let connecting = Client::connect(&world.service, at, name);
    let connected = world.patiently("to connect", connecting).await;
    connected.unwrap_or_else(|| Err(AppError::failed("the server fell silent")))
}

impl Talk<'_> {
    /// The server introduces a user to the others only after its first message.
    async fn welcome(&mut self, speaker: usize, client: Client) {
        let ear = Ear {
            speaker,
            came: self.said.len() + 1,
            heard: Vec::new(),
        };
        self.users.push(User { client, ear });
        self.say(speaker, 0).await;
    }

    /// One user sends a message, and all others wait for it.
    async fn say(&mut self, speaker: usize, number: usize) {
        let present = |user: &User| user.ear.speaker == speaker;
        let Some(at) = self.users.iter().position(present) else {
            return;
        };
        let said = Said::new(speaker, number);
        self.said.push(said.clone());
        let (world, client) = (self.world, &mut self.users[at].client);
        let spoken = world.patiently("to speak", client.send(&said.text)).await;
        if let Some(Err(error)) = &spoken {
            world.is_clear(error);
        }
        if !matches!(spoken, Some(Ok(()))) {
            let user = self.users.remove(at);
            self.ears.push(user.ear);
        }
        self.print(&said.text).await;
        for mut user in std::mem::take(&mut self.users) {
            if present(&user) || user.hears(world, &said.text).await {
                self.users.push(user);
            } else {
                self.ears.push(user.ear);
            }
        }
    }

    /// Waits until the operator has seen `text`.
    async fn print(&mut self, text: &str) {
        let mut printed = String::new();
        while !printed.contains(text) {
            let Some(line) = for_a_while(self.world, self.operator.next()).await else {
                return;
            };
            let line = line.expect("the server runs");
            printed.push_str(&line);
            self.printed.push(line);
        }
    }

    /// Asserts that each user received the sent messages, or some of them with gaps.
    fn judge(mut self) -> Operator {
        let all: Vec<_> = self.said.iter().collect();
        judge(self.world, "the operator", &self.printed, &all, &self.said);
        self.ears
            .extend(self.users.into_iter().map(|user| user.ear));
        for ear in self.ears {
            let since = self.said.iter().skip(ear.came);
            let others: Vec<_> = since.filter(|said| said.speaker != ear.speaker).collect();
            let who = SPEAKERS[ear.speaker].0;
            judge(self.world, who, &ear.heard, &others, &self.said);
        }
        self.operator
    }
}

impl User {
    /// Receives until `text` has come. Returns `false` if this user receives nothing any more.
    async fn hears(&mut self, world: &World, text: &str) -> bool {
        let mut new = String::new();
        while !new.contains(text) {
            match for_a_while(world, self.client.recv()).await {
                Some(Ok(Some(message))) => {
                    new.push_str(&message.text);
                    self.ear.heard.push(message.to_string());
                }
                Some(Err(error)) => world.is_clear(&error),
                Some(Ok(None)) => {
                    let harmless = world.mood == Mood::Harmless;
                    assert!(!harmless, "{world}: the conversation ended");
                    return false;
                }
                // In a hostile world it may never come.
                None => return true,
            }
        }
        true
    }
}

/// The result of `doing`. In a hostile world the wait is shorter than `doing` could take.
async fn for_a_while<T>(world: &World, doing: impl Future<Output = T>) -> Option<T> {
    match world.mood {
        Mood::Harmless => Some(world.surely("to listen", doing).await),
        _ => {
            let patience = world.patience();
            tokio::time::timeout(patience, doing).await.ok()
        }
    }
}

/// Two more users join, whose connections have no faults.
async fn serves_others(world: &World, at: &Endpoint, operator: &mut Operator) {
    world.calm();
    let talk = async {
        let mut users = Vec::new();
        for name in ["dan", "eve"] {
            let mut user = Client::connect(&world.service, at, Some(name))
                .await
                .unwrap();
            user.send(&format!("{name} is here")).await.unwrap();
            let mut shown = String::new();
            while !shown.contains(&format!("{name} is here")) {
                shown.push_str(&operator.next().await.expect("the server runs"));
            }
            users.push(user);
        }
        users[0].send("hello again").await.unwrap();
        let mut heard = String::new();
        while !heard.contains("hello again") {
            let message = users[1].recv().await.unwrap();
            heard.push_str(&message.expect("a message").text);
        }
    };
    world.surely("to talk after all that", talk).await;
}

impl World {
    /// How long to wait for a message that may not come.
    fn patience(&self) -> Duration {
        match self.cell.is_virtual() {
            true => Duration::from_secs(5),
            false => Duration::from_millis(25),
        }
    }
}
