//! The ends of sessions, of the listener, and of the task that receives.

use super::*;

#[tokio::test(start_paused = true)]
async fn an_idle_session_ends_and_its_address_is_a_new_peers() {
    let wire = Wire::new();
    let limits = SessionLimits {
        idle: Duration::from_millis(6400),
        ..SessionLimits::default()
    };
    let mut listener = listen(&wire, limits);
    wire.from("ann", "early");
    let mut old = accept(&mut listener).await;
    let began = tokio::time::Instant::now();
    assert_eq!(recv_text(&mut old).await, "early");
    assert_eq!(recv(&mut old).await.0, Received::End);
    let lasted = began.elapsed().as_secs_f32();
    assert!((6.39..=6.61).contains(&lasted), "{lasted}");
    assert_eq!(recv(&mut old).await.0, Received::End, "and so it stays");
    let error = send(&mut old, "late").await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);

    wire.from("ann", "back");
    let mut new = accept(&mut listener).await;
    drop(old);
    wire.from("ann", "still here");
    assert_eq!(recv_text(&mut new).await, "back");
    assert_eq!(recv_text(&mut new).await, "still here");
}

#[tokio::test(start_paused = true)]
async fn traffic_in_either_direction_and_waiting_in_the_backlog_keep_a_session() {
    let wire = Wire::new();
    let limits = SessionLimits {
        idle: Duration::from_millis(6400),
        ..SessionLimits::default()
    };
    let mut listener = listen(&wire, limits);
    wire.from("ann", "x");
    tokio::time::sleep(Duration::from_secs(1000)).await;
    let mut ann = accept(&mut listener).await;
    assert_eq!(recv_text(&mut ann).await, "x");
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_secs(5)).await;
        send(&mut ann, "ping").await.unwrap();
        tokio::time::sleep(Duration::from_secs(5)).await;
        wire.from("ann", "pong");
        assert_eq!(recv_text(&mut ann).await, "pong");
    }
}

#[tokio::test(start_paused = true)]
async fn an_endless_idle_time_is_no_overflow() {
    let wire = Wire::new();
    let limits = SessionLimits {
        idle: Duration::MAX,
        ..SessionLimits::default()
    };
    let mut listener = listen(&wire, limits);
    wire.from("ann", "x");
    let mut ann = accept(&mut listener).await;
    tokio::time::sleep(Duration::from_secs(86_400)).await;
    send(&mut ann, "still").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn errors_neither_stop_nor_spin_the_pump() {
    let wire = Wire::new();
    let mut listener = listen(&wire, SessionLimits::default());
    wire.failing.store(true, SeqCst);
    tokio::time::sleep(Duration::from_secs(60)).await;
    let polls = wire.polls.load(SeqCst);
    assert!((50..100).contains(&polls), "{polls} in a minute");
    assert_eq!(listener.stats().errors, polls as u64);

    wire.failing.store(false, SeqCst);
    wire.from("ann", "x");
    let mut ann = accept(&mut listener).await;
    assert_eq!(recv_text(&mut ann).await, "x");
    // A single error between datagrams costs no time.
    let began = tokio::time::Instant::now();
    wire.arrive(Err(io::ErrorKind::ConnectionRefused.into()));
    wire.from("ann", "y");
    assert_eq!(recv_text(&mut ann).await, "y");
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn sessions_outlive_the_listener_and_the_pump_ends_with_the_last() {
    let wire = Wire::new();
    let mut listener = listen(&wire, SessionLimits::default());
    wire.from("ann", "1");
    wire.from("bob", "1");
    let mut ann = accept(&mut listener).await;
    until(|| wire.arriving.lock().unwrap().is_empty()).await;
    drop(listener);
    wire.from("eve", "ignored");
    wire.from("ann", "2");
    assert_eq!(recv_text(&mut ann).await, "1");
    assert_eq!(recv_text(&mut ann).await, "2");

    let (recv, send) = ann.split();
    drop(recv);
    assert!(Arc::strong_count(&wire) > 1);
    drop(send);
    until(|| Arc::strong_count(&wire) == 1).await;
}

#[tokio::test]
async fn a_listener_without_sessions_takes_the_pump_with_it() {
    let wire = Wire::new();
    let listener = listen(&wire, SessionLimits::default());
    wire.from("ann", "never accepted");
    until(|| wire.arriving.lock().unwrap().is_empty()).await;
    drop(listener);
    until(|| Arc::strong_count(&wire) == 1).await;
}

#[tokio::test]
async fn a_dropped_receiving_half_keeps_nothing() {
    let wire = Wire::new();
    let mut listener = listen(&wire, SessionLimits::default());
    wire.from("ann", "1");
    let (recv, mut sender) = accept(&mut listener).await.split();
    drop(recv);
    wire.from("ann", "2");
    until(|| listener.stats().dropped_datagrams == 1).await;
    send(&mut sender, "still").await.unwrap();
}
