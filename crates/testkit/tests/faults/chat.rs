//! Chat: what one says, all others hear, or what they hear has gaps.

use std::time::Duration;

use socketry_apps::AppError;
use socketry_apps::chat::{Client, Console, Message, Operator, Server};

use crate::world::{Mood, World, may_differ};

/// How many messages are said after the users have come.
const MESSAGES: usize = 9;

/// Who talks, and the letters that only they use, so that it shows whose a piece of text is. No `q`: alone it says the end.
const SPEAKERS: [(&str, &str); 3] = [
    ("ann", "abcdefghijklmnop"),
    ("bob", "αβγδεζηθικλμνξοπ"),
    ("cid", "一二三四五六七八九十百千万上下中"),
];

/// The message number `number` of that speaker.
fn text(speaker: usize, number: usize) -> String {
    let letters: Vec<char> = SPEAKERS[speaker].1.chars().collect();
    let numbered = [number / 16, number % 16].into_iter();
    let rest = (0..number * 5 % 23).map(|n| (n * 3 + number) % 16);
    numbered.chain(rest).map(|letter| letters[letter]).collect()
}

struct User {
    speaker: usize,
    client: Client,
    heard: Vec<Message>,
    /// How much had been said when this user came.
    came: usize,
}

/// A conversation, and everything that was said in it.
struct Talk<'a> {
    world: &'a World,
    operator: Operator,
    printed: Vec<String>,
    said: Vec<(usize, String)>,
    users: Vec<User>,
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
    talk.judge();
    talk.users.clear();
    serves_others(world, &at, &mut talk.operator).await;
    world.stop(serving).await;
}

async fn connect(
    world: &World,
    at: &socketry_transport::Endpoint,
    speaker: usize,
) -> Result<Client, AppError> {
    let name = (!world.cell.is_sticky()).then_some(SPEAKERS[speaker].0);
    let connecting = Client::connect(&world.service, at, name);
    let connected = world.patiently("to connect", connecting).await;
    connected.unwrap_or_else(|| Err(AppError::failed("the server fell silent")))
}

impl Talk<'_> {
    /// Nobody is known to the others before the server has heard from him.
    async fn welcome(&mut self, speaker: usize, client: Client) {
        self.users.push(User {
            speaker,
            client,
            heard: Vec::new(),
            came: 0,
        });
        self.say(speaker, 0).await;
        if let Some(user) = self.users.iter_mut().find(|user| user.speaker == speaker) {
            user.came = self.said.len();
        }
    }

    /// One speaks, and all others listen until they have heard it.
    async fn say(&mut self, speaker: usize, number: usize) {
        let Some(at) = self.users.iter().position(|user| user.speaker == speaker) else {
            return;
        };
        let text = text(speaker, number);
        self.said.push((speaker, text.clone()));
        let world = self.world;
        match world
            .patiently("to speak", self.users[at].client.send(&text))
            .await
        {
            Some(Ok(())) => {}
            Some(Err(error)) => {
                world.is_clear(&error);
                self.users.remove(at);
            }
            None => drop(self.users.remove(at)),
        }
        self.print(&text).await;
        for mut user in std::mem::take(&mut self.users) {
            if user.speaker == speaker || user.hears(world, &text).await {
                self.users.push(user);
            }
        }
    }

    async fn print(&mut self, text: &str) {
        let mut printed = String::new();
        while !printed.contains(text) {
            match for_a_while(self.world, self.operator.next()).await {
                Some(line) => {
                    let line = line.expect("the server runs");
                    printed.push_str(&line);
                    self.printed.push(line);
                }
                None => return,
            }
        }
    }

    /// What everybody heard is what was said, or with gaps.
    fn judge(&self) {
        let all: Vec<_> = self.said.iter().collect();
        let printed = self.printed.iter().map(String::as_str);
        self.judge_one(&all, printed.collect(), "the operator");
        for user in &self.users {
            let others = self.said[user.came..].iter();
            let said: Vec<_> = others.filter(|(by, _)| *by != user.speaker).collect();
            let heard: Vec<_> = user.heard.iter().map(ToString::to_string).collect();
            let heard = heard.iter().map(String::as_str).collect();
            self.judge_one(&said, heard, SPEAKERS[user.speaker].0);
        }
    }

    fn judge_one(&self, said: &[&(usize, String)], heard: Vec<&str>, who: &str) {
        let World {
            cell, seed, mood, ..
        } = self.world;
        let whole = |message: &&(usize, String)| match cell.is_sticky() {
            true => message.1.clone(),
            false => format!("{} : {}", SPEAKERS[message.0].0, message.1),
        };
        let said: Vec<String> = said.iter().map(whole).collect();
        let right = match mood {
            Mood::Harmless if cell.is_sticky() => heard.concat() == said.concat(),
            Mood::Harmless => heard == said,
            // A user may have come before it was known here.
            Mood::Hostile if may_differ(*cell, *seed) => true,
            Mood::Hostile if cell.is_sticky() => has_gaps(&heard.concat(), &self.said),
            Mood::Hostile if cell.is_stream() => in_order(&heard, &self.said),
            Mood::Hostile => heard.iter().all(|text| self.was_said(text)),
        };
        assert!(right, "{}: {who} heard {heard:?} of {said:?}", self.world);
    }

    fn was_said(&self, heard: &str) -> bool {
        let mut all = self.said.iter();
        all.any(|(by, text)| heard == format!("{} : {text}", SPEAKERS[*by].0))
    }
}

/// Whether each of these was said, and what one speaker said comes in order and once.
fn in_order(heard: &[&str], said: &[(usize, String)]) -> bool {
    let places = heard.iter().map(|heard| {
        let is = |(by, text): &(usize, String)| *heard == format!("{} : {text}", SPEAKERS[*by].0);
        said.iter().position(is)
    });
    let Some(places) = places.collect::<Option<Vec<_>>>() else {
        return false;
    };
    (0..SPEAKERS.len()).all(|speaker| {
        let own = places.iter().filter(|place| said[**place].0 == speaker);
        own.clone().zip(own.skip(1)).all(|(one, next)| one < next)
    })
}

/// Whether of what each speaker said only pieces are missing. A character that was cut in two is heard as U+FFFD.
fn has_gaps(heard: &str, said: &[(usize, String)]) -> bool {
    let heard = heard.replace('\u{fffd}', "");
    let known = |letter: char| SPEAKERS.iter().any(|(_, letters)| letters.contains(letter));
    let of_each = (0..SPEAKERS.len()).all(|speaker| {
        let mut own = said
            .iter()
            .filter(|(by, _)| *by == speaker)
            .flat_map(|(_, text)| text.chars());
        let mut pieces = heard
            .chars()
            .filter(|letter| SPEAKERS[speaker].1.contains(*letter));
        pieces.all(|piece| own.any(|letter| letter == piece))
    });
    of_each && heard.chars().all(known)
}

impl User {
    /// Listens until `text` has come. Says `false` if this user hears nothing any more.
    async fn hears(&mut self, world: &World, text: &str) -> bool {
        let mut new = String::new();
        while !new.contains(text) {
            match for_a_while(world, self.client.recv()).await {
                Some(Ok(Some(message))) => {
                    new.push_str(&message.text);
                    self.heard.push(message);
                }
                Some(Err(error)) => world.is_clear(&error),
                Some(Ok(None)) => {
                    assert!(
                        world.mood == Mood::Hostile,
                        "{world}: the conversation ended"
                    );
                    return false;
                }
                // In a hostile world it may never come.
                None => return true,
            }
        }
        true
    }
}

/// What `doing` comes to. In a hostile world it is not waited for as long as it could take.
async fn for_a_while<T>(world: &World, doing: impl Future<Output = T>) -> Option<T> {
    match world.mood {
        Mood::Harmless => Some(world.surely("to listen", doing).await),
        Mood::Hostile => {
            let patience = world.patience();
            tokio::time::timeout(patience, doing).await.ok()
        }
    }
}

/// Two more come, to whom nothing happens.
async fn serves_others(world: &World, at: &socketry_transport::Endpoint, operator: &mut Operator) {
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
    /// How long to listen for what may not come.
    fn patience(&self) -> Duration {
        match self.cell.is_virtual() {
            true => Duration::from_secs(5),
            false => Duration::from_millis(25),
        }
    }
}
