//! One database per test, copied from a template that is migrated once.

use sqlx::{Connection, Executor, PgConnection, PgPool, postgres::PgPoolOptions};
use tokio::sync::OnceCell;

/// Where the tests' PostgreSQL is: `make test` starts one and says so.
fn server() -> String {
    std::env::var("SOUK_TEST_DATABASE_URL").unwrap_or_else(|_| {
        panic!("SOUK_TEST_DATABASE_URL is not set: run the tests with `make test` or scripts/with-postgres.sh")
    })
}

fn url_of(database: &str) -> String {
    let server = server();
    let (base, _) = server.rsplit_once('/').expect("a database URL ends in /name");
    format!("{base}/{database}")
}

async fn admin() -> PgConnection {
    PgConnection::connect(&server()).await.expect("the tests' PostgreSQL answers")
}

/// The migrated template; its name holds the process, so that an older binary never lends a stale one.
async fn template() -> &'static str {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    TEMPLATE
        .get_or_init(|| async {
            let name = format!("souk_template_{}", std::process::id());
            let mut admin = admin().await;
            admin.execute(sqlx::AssertSqlSafe(format!("drop database if exists {name}"))).await.expect("drop the old template");
            admin.execute(sqlx::AssertSqlSafe(format!("create database {name}"))).await.expect("create the template");
            let mut db = PgConnection::connect(&url_of(&name)).await.expect("connect to the template");
            souk::server::start::MIGRATIONS.run(&mut db).await.expect("the migrations run");
            db.close().await.expect("close the template");
            name
        })
        .await
}

/// A database that is dropped with the value.
pub struct TestDatabase {
    pub pool: PgPool,
    pub url: String,
    name: String,
    /// The database has a role of its own, of the same name.
    role: bool,
}

impl TestDatabase {
    pub async fn create() -> Self {
        let template = template().await;
        let name = format!("souk_test_{}", uuid::Uuid::now_v7().simple());
        let mut admin = admin().await;
        // Copies of one template exclude each other, so tests that start together wait here.
        static COPY: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
        let _turn = COPY.lock().await;
        admin
            .execute(sqlx::AssertSqlSafe(format!("create database {name} template {template}")))
            .await
            .expect("copy the template");
        let url = url_of(&name);
        let pool = PgPoolOptions::new().max_connections(8).connect(&url).await.expect("connect to the test's database");
        Self { pool, url, name, role: false }
    }

    /// A database that belongs to a role of its own, which is no superuser and may make nothing else; migrated by that role.
    pub async fn of_a_plain_role() -> Self {
        let name = format!("souk_test_{}", uuid::Uuid::now_v7().simple());
        let password = uuid::Uuid::new_v4().simple();
        let mut admin = admin().await;
        for statement in [
            format!("create role {name} login nosuperuser nocreatedb nocreaterole password '{password}'"),
            format!("create database {name} owner {name}"),
        ] {
            admin.execute(sqlx::AssertSqlSafe(statement)).await.expect("a role and its database");
        }
        let of_admin = url_of(&name);
        let (_, place) = of_admin.rsplit_once('@').expect("a database URL names who connects");
        let url = format!("postgres://{name}:{password}@{place}");
        let pool = PgPoolOptions::new().max_connections(8).connect(&url).await.expect("the role connects");
        souk::server::start::MIGRATIONS.run(&pool).await.expect("the migrations run");
        Self { pool, url, name, role: true }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (name, role) = (self.name.clone(), self.role);
        // A thread of its own, and nobody waits for it: PostgreSQL drops the database once connections that are being made
        // have ended, and they end when this test's runtime, which would wait here, is gone.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let statement = format!("drop database if exists {name} with (force)");
                // At the end of the run the server may be gone first, and the database with it.
                let mut admin = admin().await;
                let _ = admin.execute(sqlx::AssertSqlSafe(statement)).await;
                if role {
                    let _ = admin.execute(sqlx::AssertSqlSafe(format!("drop role if exists {name}"))).await;
                }
            });
        });
    }
}
