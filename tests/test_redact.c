/* test_redact.c - command lines with secrets and without: what is taken out, and that nothing else is. */
#include "recorder/redact.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/tap.h"

static const uint8_t key[REDACT_KEY_BYTES] = { 1, 2, 3 };
static struct redactor *redactor;

#define JWT                                                                        \
	"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_" \
	"XgL0n3I9PlFUP0THsR8U"
#define GHP "ghp_16C7e42F292c6912E7710c838347Ae178B4a"

/* Arguments stand between tabs.  What is to be taken out is written as [LENGTH]; no second text: nothing is. */
static const struct {
	const char *argv, *expected;
} cases[] = {
	/* options by their names */
	{ "app\t--password=hunter2\t--user=joe", "app\t--password=[7]\t--user=joe" },
	{ "app\t--password\thunter2\t-v", "app\t--password\t[7]\t-v" },
	{ "app\t-password\thunter2", "app\t-password\t[7]" },
	{ "app\t--db-password=a=b=c", "app\t--db-password=[5]" },
	{ "app\t--dbPassword\tsecret stuff", "app\t--dbPassword\t[12]" },
	{ "app\t--password=with blank and 'quote", "app\t--password=[21]" },
	{ "app\t--passwd=x\t--pass=abc", "app\t--passwd=[1]\t--pass=[3]" },
	{ "app\t--token\tabc\t--secret=def", "app\t--token\t[3]\t--secret=[3]" },
	{ "app\t--api-key=abc\t--apikey\tdef", "app\t--api-key=[3]\t--apikey\t[3]" },
	{ "app\t--client_secret=s3cr3t", "app\t--client_secret=[6]" },
	{ "app\t--access-key\tabc", "app\t--access-key\t[3]" },
	{ "app\t--key=Zm9vYmFyYmF6cXV4MTIz", "app\t--key=[20]" },
	{ "app\t--passphrase\tcorrect horse", "app\t--passphrase\t[13]" },
	{ "app\t--password2=x9", "app\t--password2=[2]" },
	{ "plink\t-pw\tx\thost", "plink\t-pw\t[1]\thost" },
	{ "java\t-Djavax.net.ssl.keyStorePassword=changeit\t-jar\ta.jar",
	  "java\t-Djavax.net.ssl.keyStorePassword=[8]\t-jar\ta.jar" },
	{ "keytool\t-storepass\tchangeit\t-keypass\tabc",
	  "keytool\t-storepass\t[8]\t-keypass\t[3]" },
	{ "wget\t--http-password=x1\thttp://h/", "wget\t--http-password=[2]\thttp://h/" },
	{ "gpg\t--batch\t--passphrase=abc", "gpg\t--batch\t--passphrase=[3]" },
	{ "app\t--password=", NULL },
	{ "app\t--password", NULL },
	/* variables and pairs */
	{ "env\tDB_PASSWORD=hunter2\tapp", "env\tDB_PASSWORD=[7]\tapp" },
	{ "docker\trun\t-e\tPGPASSWORD=abc def\timage", "docker\trun\t-e\tPGPASSWORD=[7]\timage" },
	{ "docker\trun\t--env=API_TOKEN=abc\timage", "docker\trun\t--env=API_TOKEN=[3]\timage" },
	{ "helm\t--set\tdb.password=abc,db.user=joe", "helm\t--set\tdb.password=[15]" },
	{ "helm\t--set\tdb.user=joe,db.password=abc,x=y",
	  "helm\t--set\tdb.user=joe,db.password=[3],x=y" },
	{ "mount\t-o\tuser=u,password=p1,uid=0\t//h/s",
	  "mount\t-o\tuser=u,password=[2],uid=0\t//h/s" },
	{ "app\tServer=h;Uid=u;Pwd=abc;Database=d", "app\tServer=h;Uid=u;Pwd=[3];Database=d" },
	{ "psql\thost=h password=abc user=u", "psql\thost=h password=[3] user=u" },
	{ "make\tSECRET_KEY=abc\tall", "make\tSECRET_KEY=[3]\tall" },
	{ "app\tPWD=/build/dir\tOLDPWD=/", NULL },
	{ "curl\thttp://h/?a=b&token=abc&x=1", "curl\thttp://h/?a=b&token=[3]&x=1" },
	{ "az\tAccountName=a;AccountKey=Zm9v;EndpointSuffix=s",
	  "az\tAccountName=a;AccountKey=[4];EndpointSuffix=s" },
	/* programs of which the letters are known */
	{ "mysql\t-uroot\t-psecret\tdb", "mysql\t-uroot\t-p[6]\tdb" },
	{ "/usr/bin/mysqldump\t-u\troot\t-ps3\t--all-databases",
	  "/usr/bin/mysqldump\t-u\troot\t-p[2]\t--all-databases" },
	{ "mariadb\t-p\tdb", NULL },
	{ "mysql\t--password\tdb", NULL },
	{ "mysql\t--password=x1\tdb", "mysql\t--password=[2]\tdb" },
	{ "mysql\t-P\t3306\t--port=3306", NULL },
	{ "sudo\t-u\tme\tmysql\t-psecret", "sudo\t-u\tme\tmysql\t-p[6]" },
	{ "docker\texec\tdb\tmysql\t-psecret", "docker\texec\tdb\tmysql\t-p[6]" },
	{ "sshpass\t-p\tabc\tssh\th", "sshpass\t-p\t[3]\tssh\th" },
	{ "sshpass\t-pabc\tssh\th", "sshpass\t-p[3]\tssh\th" },
	{ "curl\t-u\tjoe:abc\thttps://h/", "curl\t-u\tjoe:[3]\thttps://h/" },
	{ "curl\t-sSu\tjoe:abc\thttps://h/", "curl\t-sSu\tjoe:[3]\thttps://h/" },
	{ "curl\t-ujoe:abc\thttps://h/", "curl\t-ujoe:[3]\thttps://h/" },
	{ "curl\t--user\tjoe\thttps://h/", NULL },
	{ "redis-cli\t-a\tabc\tping", "redis-cli\t-a\t[3]\tping" },
	{ "smbclient\t-U\tjoe%abc\t//h/s", "smbclient\t-U\tjoe%[3]\t//h/s" },
	{ "ldapsearch\t-x\t-D\tcn=a\t-w\tabc", "ldapsearch\t-x\t-D\tcn=a\t-w\t[3]" },
	{ "openssl\tenc\t-aes-256-cbc\t-pass\tpass:abc",
	  "openssl\tenc\t-aes-256-cbc\t-pass\tpass:[3]" },
	{ "openssl\trsa\t-passin\tfile:/x\t-passout\tenv:P", NULL },
	{ "7z\tx\t-psecret\ta.7z", "7z\tx\t-p[6]\ta.7z" },
	{ "zip\t-P\tabc\ta.zip", "zip\t-P\t[3]\ta.zip" },
	{ "sqlplus\t-s\tscott/tiger@db\t@x.sql", "sqlplus\t-s\tscott/[5]@db\t@x.sql" },
	{ "docker\tlogin\t-u\tme\t-p\tabc\th", "docker\tlogin\t-u\tme\t-p\t[3]\th" },
	{ "docker\trun\t-p\t80:80\tnginx", NULL },
	{ "docker\tbuild\t--secret\tid=npm,src=.npmrc\t.", NULL },
	{ "useradd\t-p\t$6$salt$hash\tjoe", "useradd\t-p\t[12]\tjoe" },
	{ "nmcli\tdev\twifi\tconnect\tn\tpassword\tabc",
	  "nmcli\tdev\twifi\tconnect\tn\tpassword\t[3]" },
	{ "ssh-keygen\t-t\ted25519\t-N\t\t-f\tk", NULL },
	{ "curl\t--oauth2-bearer\tabc\thttps://h/", "curl\t--oauth2-bearer\t[3]\thttps://h/" },
	{ "curl\t-sujoe:abc\thttps://h/", "curl\t-sujoe:[3]\thttps://h/" },
	{ "curl\t-kfsSLujoe:abc\thttps://h/", "curl\t-kfsSLujoe:[3]\thttps://h/" },
	{ "curl\t-sUjoe:abc\thttps://h/", "curl\t-sUjoe:[3]\thttps://h/" },
	{ "curl\t-E\tc.pem:abc\thttps://h/", "curl\t-E\tc.pem:[3]\thttps://h/" },
	{ "curl\t-Ec.pem:abc\t-sEc.pem:abc\th", "curl\t-Ec.pem:[3]\t-sEc.pem:[3]\th" },
	{ "curl\t--cert\t./c.pem:a:c\th", "curl\t--cert\t./c.pem:[3]\th" },
	{ "curl\t--proxy-cert\tc.pem:abc\th", "curl\t--proxy-cert\tc.pem:[3]\th" },
	{ "curl\t-bsid=abc\th", "curl\t-bsid=[3]\th" },
	{ "curl\t-E\tcert.pem\t--cert\tcert.pem\t-Ecert.pem\th", NULL },
	{ "curl\t-fsSLo\tu:x\t-ofile:u\t-sXPUT\th", NULL },
	{ "http\t--auth=joe:abc\th", "http\t--auth=joe:[3]\th" },
	{ "http\t--auth=Zm9vYmFyYmF6cXV4MTIz\th", "http\t--auth=[20]\th" },
	{ "redis-cli\t-aabc\tping", "redis-cli\t-a[3]\tping" },
	{ "redis-cli\t-h\th\t-p\t6379\tget\ta", NULL },
	{ "mysql\t-NBps3\tdb", "mysql\t-NBp[2]\tdb" },
	{ "ldapsearch\t-xLLLwabc", "ldapsearch\t-xLLLw[3]" },
	{ "ssh-keygen\t-qN\tabc\t-f\tk", "ssh-keygen\t-qN\t[3]\t-f\tk" },
	{ "zip\t-rP\tabc\ta.zip\tdir", "zip\t-rP\t[3]\ta.zip\tdir" },
	{ "zip\t-r9q\ta.zip\tdir", NULL },
	{ "mysqladmin\t-uroot\tpassword\tabc", "mysqladmin\t-uroot\tpassword\t[3]" },
	{ "mysqladmin\tpassword\t-uroot\tabc", "mysqladmin\tpassword\t-uroot\t[3]" },
	{ "mysqladmin\t-uroot\tpassword", NULL },
	{ "exp\tscott/tiger@db\tfile=x.dmp", "exp\tscott/[5]@db\tfile=x.dmp" },
	{ "exp\tuserid=scott/tiger\tfile=x.dmp", "exp\tuserid=scott/[5]\tfile=x.dmp" },
	{ "imp\tUSERID=scott/tiger@db\tfull=y", "imp\tUSERID=scott/[5]@db\tfull=y" },
	{ "sqlplus\tuserid=scott/tiger@db", "sqlplus\tuserid=scott/[5]@db" },
	{ "sqlplus\tsys/tiger@db as sysdba", "sqlplus\tsys/[5]@db as sysdba" },
	{ "sqlplus\tsys/tiger as sysdba", "sqlplus\tsys/[5] as sysdba" },
	{ "sqlplus\t-R\t2\t-C\t12.2\tscott/p@ss@//h:1521/x",
	  "sqlplus\t-R\t2\t-C\t12.2\tscott/[4]@//h:1521/x" },
	{ "sh\t-c\texp userid='scott/tiger' file=x", "sh\t-c\texp userid='scott/[5]' file=x" },
	{ "sqlplus\t-s\t/nolog\t@dir/x.sql", NULL },
	{ "sqlplus\t/ as sysdba", NULL },
	{ "sqlplus\tscott@//h/db\t@dir/x.sql\tdir/y", NULL },
	/* an option that is known has a secret, whatever it looks like */
	{ "mysql\t-psrc=abc", "mysql\t-p[7]" },
	{ "mysql\t-p/etc/abc", "mysql\t-p[8]" },
	{ "mysql\t-p-abc", "mysql\t-p[4]" },
	{ "mysql\t-ptrue", "mysql\t-p[4]" },
	{ "sshpass\t-p\t-abc\tssh\th", "sshpass\t-p\t[4]\tssh\th" },
	{ "sshpass\t-p\ttype=x\tssh\th", "sshpass\t-p\t[6]\tssh\th" },
	{ "curl\t-u\tjoe:id=1\th", "curl\t-u\tjoe:[4]\th" },
	{ "redis-cli\t-a\tid=abc", "redis-cli\t-a\t[6]" },
	{ "app\t--password=src=x\t--password=id=y\t--password=type=z",
	  "app\t--password=[5]\t--password=[4]\t--password=[6]" },
	{ "app\t--token=id=abc\t--secret\tsource=x", "app\t--token=[6]\t--secret\t[8]" },
	{ "app\t--password=/etc/abc\t--passwd\t/etc/abc", "app\t--password=[8]\t--passwd\t[8]" },
	{ "app\t--password=-abc\tDB_PASS=-abc", "app\t--password=[4]\tDB_PASS=[4]" },
	{ "app\t--password\t-hunter2", "app\t--password\t[8]" },
	{ "app\t--password\t-p@ss", "app\t--password\t[5]" },
	{ "app\t--password\t--user=joe", NULL },
	{ "app\t--password\t-p\t8080", NULL },
	{ "app\t--password\t-p8080\t-I/usr\t-DX=1\t--\tx", NULL },
	{ "app\t--token\t-Wno-error\tx", NULL },
	{ "docker\tbuild\t--secret=id=npm,src=.npmrc\t.", NULL },
	{ "buildctl\tbuild\t--secret\tid=npm,src=.npmrc", NULL },
	{ "docker\tservice\tcreate\t--secret\tsource=x,target=y\timage", NULL },
	{ "docker\trun\timage\tapp\t--secret\thunter2", "docker\trun\timage\tapp\t--secret\t[7]" },
	{ "openssl\tenc\t-pass\tenv:P\t-pass\tfd:3\t-pass\tfile:./x", NULL },
	{ "openssl\trsa\t-passin\tpass:id=x", "openssl\trsa\t-passin\tpass:[4]" },
	{ "app\t--password=env:a b", "app\t--password=[7]" },
	{ "sh\t-c\tapp --password '$ecret'", "sh\t-c\tapp --password '[6]'" },
	/* several of them */
	{ "app\t--tokens=a,b\t--secrets=c\t--passwords=d\t--api-keys=e",
	  "app\t--tokens=[3]\t--secrets=[1]\t--passwords=[1]\t--api-keys=[1]" },
	{ "app\t--auth-tokens\tabc\tAPI_KEYS=abc", "app\t--auth-tokens\t[3]\tAPI_KEYS=[3]" },
	{ "app\t{\"tokens\":[\"a\",\"b\"],\"n\":1}", "app\t{\"tokens\":[\"[5]\"],\"n\":1}" },
	{ "app\t--tokens=1000\t--max-tokens\t4096\t--max_new_tokens=512", NULL },
	{ "app\t--secrets=secrets.yaml\t--tokens\t/etc/tokens\t--passwords\tlist.txt", NULL },
	{ "app\t--sort-keys=a\t--keys=b\t{\"max_tokens\":4096,\"tokens\":12}", NULL },
	{ "kubectl\tget\tsecrets\tmine", NULL },
	/* headers */
	{ "curl\t-HX-Api-Key:abc\th", "curl\t-HX-Api-Key:[3]\th" },
	{ "curl\t--proxy-header\tX-Token:abc\th", "curl\t--proxy-header\tX-Token:[3]\th" },
	{ "sh\t-c\tcurl -H X-Api-Key:abc h", "sh\t-c\tcurl -H X-Api-Key:[3] h" },
	{ "sh\t-c\tcurl -H 'X-Api-Key:a b' h", "sh\t-c\tcurl -H 'X-Api-Key:[3]' h" },
	{ "ldapsearch\t-Hldap://h\t-x", NULL },
	{ "curl\t-H\tAuthorization: Bearer abcdef123\th",
	  "curl\t-H\tAuthorization: Bearer [9]\th" },
	{ "curl\t-H\tauthorization: Basic am9lOmFiYw==\th",
	  "curl\t-H\tauthorization: Basic [12]\th" },
	{ "curl\t-H\tAuthorization: abc\th", "curl\t-H\tAuthorization: [3]\th" },
	{ "curl\t-H\tX-Api-Key:abc\th", "curl\t-H\tX-Api-Key:[3]\th" },
	{ "curl\t--header\tPRIVATE-TOKEN: abc\th", "curl\t--header\tPRIVATE-TOKEN: [3]\th" },
	{ "curl\t--header=X-Auth-Token: abc\th", "curl\t--header=X-Auth-Token: [3]\th" },
	{ "curl\t-H\tCookie: sid=abc; x=y\th", "curl\t-H\tCookie: [12]\th" },
	{ "curl\t-H\tContent-Type: application/json\th", NULL },
	{ "curl\t-b\tcookies.txt\th", NULL },
	{ "curl\t--cookie\tsid=abc\th", "curl\t--cookie\t[7]\th" },
	{ "app\tfetch with Bearer abcdef.123 now", "app\tfetch with Bearer [10] now" },
	/* JSON */
	{ "curl\t-d\t{\"user\":\"joe\",\"password\":\"abc\"}\th",
	  "curl\t-d\t{\"user\":\"joe\",\"password\":\"[3]\"}\th" },
	{ "curl\t-d\t{ \"apiKey\" : \"a b\\\"c\" , \"n\": 1}",
	  "curl\t-d\t{ \"apiKey\" : \"[6]\" , \"n\": 1}" },
	{ "app\t{\"token\":12345}", "app\t{\"token\":[5]}" },
	{ "sh\t-c\tcurl -d \"{\\\"password\\\":\\\"abc\\\"}\" h",
	  "sh\t-c\tcurl -d \"{\\\"password\\\":\\\"[4]\"}\" h" },
	{ "app\t{\"name\":\"joe\",\"age\":3}", NULL },
	/* what a shell is told to run */
	{ "sh\t-c\tmysql -uroot -psecret db && ls -p", "sh\t-c\tmysql -uroot -p[6] db && ls -p" },
	{ "bash\t-lc\tPGPASSWORD=abc psql -h h; echo done",
	  "bash\t-lc\tPGPASSWORD=[3] psql -h h; echo done" },
	{ "sh\t-c\texport TOKEN='a b c'; run --x", "sh\t-c\texport TOKEN='[5]'; run --x" },
	{ "sh\t-c\tapp --password \"a b\" --next", "sh\t-c\tapp --password \"[3]\" --next" },
	{ "sh\t-c\tapp --password=\"a b\" --next", "sh\t-c\tapp --password=\"[3]\" --next" },
	{ "sh\t-c\tmysql -p'a b' db", "sh\t-c\tmysql -p'[3]' db" },
	{ "sh\t-c\tcurl -H \"Authorization: Bearer abc123\" -o f h",
	  "sh\t-c\tcurl -H \"Authorization: Bearer [6]\" -o f h" },
	{ "sh\t-c\tcurl -u joe:abc h|tee x", "sh\t-c\tcurl -u joe:[3] h|tee x" },
	{ "ssh\th\tsh -c 'mysql -psecret' && ls", "ssh\th\tsh -c 'mysql -p[6]' && ls" },
	{ "sh\t-c\tmysql -p$PASS --password=${PASS} --token \"$T\"", NULL },
	{ "app\t--password=$ecret", "app\t--password=[6]" },
	{ "su\t-c\tsudo mysql -pabc", "su\t-c\tsudo mysql -p[3]" },
	{ "docker\texec\tc\tsh\t-c\tredis-cli -a abc ping",
	  "docker\texec\tc\tsh\t-c\tredis-cli -a [3] ping" },
	{ "sh\t-c\tfor i in 1 2; do mkdir -p a/b; done", NULL },
	{ "sh\t-c\tcd mysql; mkdir -pv x", NULL },
	/* URLs */
	{ "git\tclone\thttps://joe:abc@h/x.git", "git\tclone\thttps://joe:[3]@h/x.git" },
	{ "app\tpostgres://u:p/w@h/db", "app\tpostgres://u:[3]@h/db" },
	{ "app\tredis://:abc@h:6379/0", "app\tredis://:[3]@h:6379/0" },
	{ "app\t--url=amqp://u:p@ss@h/", "app\t--url=amqp://u:[4]@h/" },
	{ "sh\t-c\tcurl http://a:b@h/ http://c:d@h/",
	  "sh\t-c\tcurl http://a:[1]@h/ http://c:[1]@h/" },
	{ "curl\thttp://h:8080/a@b", NULL },
	{ "curl\thttps://[::1]:80/x", NULL },
	{ "git\tclone\tssh://git@h:22/x.git", NULL },
	{ "git\tclone\tgit@h:me/x.git", NULL },
	/* by their looks */
	{ "app\t" GHP, "app\t[40]" },
	{ "git\tclone\thttps://" GHP "@h/x", "git\tclone\thttps://[40]@h/x" },
	{ "app\tAKIAIOSFODNN7EXAMPLE", "app\t[20]" },
	{ "app\tx=AKIAIOSFODNN7EXAMPLE,y", "app\tx=[20],y" },
	{ "app\tAIzaSyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY", "app\t[39]" },
	{ "app\txoxb-123456789012-abcdef", "app\t[24]" },
	{ "app\tsk_live_4eC39HqLyjWDarjtT1zdp7dc", "app\t[32]" },
	{ "app\tsk-ant-api03-Zm9vYmFyYmF6", "app\t[25]" },
	{ "app\tglpat-abcdefgh12345678", "app\t[22]" },
	{ "app\tgithub_pat_11ABCDEFG0abcdefghijkl_x", "app\t[35]" },
	{ "app\t" JWT, "app\t[92]" },
	{ "curl\thttps://hooks.slack.com/services/T00/B00/XXXX",
	  "curl\thttps://hooks.slack.com/services/[12]" },
	{ "app\t-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nrest",
	  "app\t[66]\nrest" },
	{ "app\t-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----", NULL },
	/* ordinary */
	{ "ls\t--key", NULL },
	{ "sort\t--key=2\t-k\t1,3\tfile", NULL },
	{ "sort\t--key\t2n\tfile", NULL },
	{ "openssl\tgenrsa\t-out\tserver.key\t2048", NULL },
	{ "curl\t--key\tclient.pem\t--cert\tc.pem\thttps://h", NULL },
	{ "ssh\t-i\t/home/me/.ssh/id_rsa\th", NULL },
	{ "mkdir\t-pv\t/a/b", NULL },
	{ "cp\t-p\ta\tb", NULL },
	{ "tar\t-czf\ta.tgz\tdir", NULL },
	{ "ssh\t-p\t22\th", NULL },
	{ "sudo\tssh\t-p\t22\tjoe@h\ttar -czf - dir", NULL },
	{ "make\t-j4\tpassword-test", NULL },
	{ "grep\ttoken\tfile", NULL },
	{ "grep\t-rn\tpasswords\tdir/secrets", NULL },
	{ "ps\t-p\t1234", NULL },
	{ "nginx\t-p\t/etc/nginx", NULL },
	{ "ffmpeg\t-pass\t1\t-i\ta.mp4", NULL },
	{ "x264\t--pass=2", NULL },
	{ "app\t--two-pass=yesplease", NULL },
	{ "app\t--max-tokens=4096\t--eos-token=endoftext", NULL },
	{ "aws\ts3\tls\t--starting-token\tabc", NULL },
	{ "app\t--password-file=/run/secrets/x\t--password-stdin", NULL },
	{ "app\t--token=/var/run/secrets/token", NULL },
	{ "app\t--secret\t./file", NULL },
	{ "app\t--no-password\tdb", NULL },
	{ "ansible\t--ask-pass\thosts", NULL },
	{ "psql\t--password\tdb", NULL },
	{ "gpg\t--export-secret-key\tABCDEF", NULL },
	{ "gpg\t--recv-key\tD94AA3F0EFE21092", NULL },
	{ "app\t--password=<password>\t--token=***", NULL },
	{ "kubectl\tget\tsecret\tmysecret\t-o\tyaml", NULL },
	{ "kubectl\tcreate\ttoken\tdefault", NULL },
	{ "pass\tshow\tmail", NULL },
	{ "passwd\tjoe", NULL },
	{ "git\tcommit\t-m\tfix the token parser; password check", NULL },
	{ "git\tlog\t--author=me\t--keyword", NULL },
	{ "apt-get\tinstall\tmysql-server\t-y", NULL },
	{ "grep\t-r\tpassword\t/etc", NULL },
	{ "grep\tpassword: file with words", "grep\tpassword: [15]" },
	{ "awk\t{print $1; total += $2}", NULL },
	{ "python3\t-c\tprint('hello world')", NULL },
	{ "sh\t-c\techo \"don't\"; ls --color=auto", NULL },
	{ "gcc\t-DTOKENS=3\t-Wall\t-o\ta\ta.c", NULL },
	{ "docker\tpull\tmysecret:latest", NULL },
	{ "app\ta:b:c\tk:v\tkey=value\tid=3", NULL },
	{ "mysqld\t--datadir=/var/lib/mysql\t--pid-file=/x", NULL },
	{ "task-runner\tsk-learn\tnpm_config\tSG.x\teyJ", NULL },
	{ "app\t550e8400-e29b-41d4-a716-446655440000", NULL },
	{ "sha256sum\te3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", NULL },
	{ "", NULL },
	{ "\t\t", NULL },
	{ "postgres: user db 10.0.0.1(5432) idle", NULL },
	/* signs within quotes do not end the command that the quotes belong to */
	{ "sh\t-c\tcurl 'http://h/?a=1&b=2' -u joe:S3Kret01",
	  "sh\t-c\tcurl 'http://h/?a=1&b=2' -u joe:[8]" },
	{ "sh\t-c\tmysql -e \"select 1; select 2\" -uroot -pS3Kret02",
	  "sh\t-c\tmysql -e \"select 1; select 2\" -uroot -p[8]" },
	{ "sh\t-c\tmysql -h $(hostname) -uroot -pS3Kret03",
	  "sh\t-c\tmysql -h $(hostname) -uroot -p[8]" },
	{ "sh\t-c\tmysql -h `hostname` -pS3 -h `hostname` -pS3",
	  "sh\t-c\tmysql -h `hostname` -p[2] -h `hostname` -p[2]" },
	{ "sh\t-c\tcurl -H 'Accept: a;q=1' -u joe:abc h",
	  "sh\t-c\tcurl -H 'Accept: a;q=1' -u joe:[3] h" },
	{ "sh\t-c\tcurl -A 'Mozilla (X11; Linux)' -u joe:abc h",
	  "sh\t-c\tcurl -A 'Mozilla (X11; Linux)' -u joe:[3] h" },
	{ "sh\t-c\tcurl -d '{\"a\":\"b;c\"}' -u joe:abc h",
	  "sh\t-c\tcurl -d '{\"a\":\"b;c\"}' -u joe:[3] h" },
	{ "sh\t-c\tcurl h/?a=1\\&b=2 -u joe:abc", "sh\t-c\tcurl h/?a=1\\&b=2 -u joe:[3]" },
	{ "sh\t-c\tbash -c \"cd x; mysql -pabc; ls -p\" && redis-cli -a abc",
	  "sh\t-c\tbash -c \"cd x; mysql -p[3]; ls -p\" && redis-cli -a [3]" },
	{ "sh\t-c\tssh h 'cd x; mysql -pab; mysql -pcd'; mysql -pef",
	  "sh\t-c\tssh h 'cd x; mysql -p[2]; mysql -p[2]'; mysql -p[2]" },
	{ "sh\t-c\tmysql -h \"$(curl -u \"joe:abc\" h | tail -1)\" -pef",
	  "sh\t-c\tmysql -h \"$(curl -u \"joe:[3]\" h | tail -1)\" -p[2]" },
	{ "sh\t-c\t(cd x; mysql -pab) && (((redis-cli -a cd)))",
	  "sh\t-c\t(cd x; mysql -p[2]) && (((redis-cli -a [2])))" },
	{ "sh\t-c\tmysql -uroot 2>&1 -pab >|f -pcd &>f -pef",
	  "sh\t-c\tmysql -uroot 2>&1 -p[2] >|f -p[2] &>f -p[2]" },
	{ "sh\t-c\tcase $x in a) mysql -pab;; *) mkdir -pv x;; esac",
	  "sh\t-c\tcase $x in a) mysql -p[2];; *) mkdir -pv x;; esac" },
	{ "sh\t-c\tfind . -name \\*.sql -exec mysql -e 'a;b' {} \\; -print; mkdir -pv a", NULL },
	{ "sh\t-c\tmysql -e 'a;b'; mkdir -pv x; echo \"$(mysql -e 'a;b')\"; cp -pv a b", NULL },
	/* an apostrophe, a quote with a backslash, a comment */
	{ "sh\t-c\techo \"it's\"; export PASSWORD='S3Kret08'; :",
	  "sh\t-c\techo \"it's\"; export PASSWORD='[8]'; :" },
	{ "sh\t-c\t# don't\nexport PASSWORD='S3Kret09'", "sh\t-c\t# don't\nexport PASSWORD='[8]'" },
	{ "sh\t-c\tcd x # don't\nPASSWORD='a b' app 'x y'",
	  "sh\t-c\tcd x # don't\nPASSWORD='[3]' app 'x y'" },
	{ "sh\t-c\techo it\\'s; PGPASSWORD='a b' psql",
	  "sh\t-c\techo it\\'s; PGPASSWORD='[3]' psql" },
	{ "sh\t-c\techo \\\"; app --password=\"a b\" x",
	  "sh\t-c\techo \\\"; app --password=\"[3]\" x" },
	{ "ssh\th\techo don't; PASSWORD='S3Kret08' app", "ssh\th\techo don't; PASSWORD='[8]' app" },
	{ "sh\t-c\tssh-keygen -N '' -f key -q; app --password \"\" -x abc", NULL },
	/* what may stand before a program */
	{ "sh\t-c\tuntil mysqladmin -uroot -pS3Kret05 ping; do sleep 1; done",
	  "sh\t-c\tuntil mysqladmin -uroot -p[8] ping; do sleep 1; done" },
	{ "sh\t-c\tif true; then mysql -uroot -pS3Kret06; fi",
	  "sh\t-c\tif true; then mysql -uroot -p[8]; fi" },
	{ "sh\t-c\tTZ='UTC' mysql -uroot -pS3Kret04", "sh\t-c\tTZ='UTC' mysql -uroot -p[8]" },
	{ "sh\t-c\tA=\"x y\" B=x\"y z\"$C'd e'f curl -u joe:abc",
	  "sh\t-c\tA=\"x y\" B=x\"y z\"$C'd e'f curl -u joe:[3]" },
	{ "sh\t-c\tf(){ mysql -pabc; }; while ! mysql -pcd; do exec mysql -pef; done",
	  "sh\t-c\tf(){ mysql -p[3]; }; while ! mysql -p[2]; do exec mysql -p[2]; done" },
	{ "sh\t-c\teval \"mysql -pabc\"; command mysql -pab || { mysql -pcd; }",
	  "sh\t-c\teval \"mysql -p[3]\"; command mysql -p[2] || { mysql -p[2]; }" },
	{ "sh\t-c\t>/dev/null mysql -pab; 2>&1 mysql -pcd; < f mysql -pef",
	  "sh\t-c\t>/dev/null mysql -p[2]; 2>&1 mysql -p[2]; < f mysql -p[2]" },
	{ "sh\t-c\tCMD=\"mysql -pabc\" run; LIST=\"a b\" mkdir -pv c",
	  "sh\t-c\tCMD=\"mysql -p[3]\" run; LIST=\"a b\" mkdir -pv c" },
	{ "sh\t-c\tif mkdir -pv a; then >/dev/null cp -pv a b; fi; A=\"x mysql\" mkdir -pv c",
	  NULL },
	/* what is no secret by its name may have one in it */
	{ "curl\t--json\t{\"auth\":{\"password\":\"S3Kret10\"}}\th",
	  "curl\t--json\t{\"auth\":{\"password\":\"[8]\"}}\th" },
	{ "curl\t-d\t{\"registryAuth\":{\"password\":\"S3Kret23\"}}",
	  "curl\t-d\t{\"registryAuth\":{\"password\":\"[8]\"}}" },
	{ "curl\t-d\t{\"key\":{\"password\":\"ab\"},\"cookie\":{\"token\":\"cd\"},\"psk\": "
	  "{\"pw\":\"ef\"}}",
	  "curl\t-d\t{\"key\":{\"password\":\"[2]\"},\"cookie\":{\"token\":\"[2]\"},\"psk\": "
	  "{\"pw\":\"[2]\"}}" },
	{ "curl\t-d\t{\"auth\":[{\"password\":\"abc\"}],\"signature\":[\"x\",{\"token\":\"cd\"}]}",
	  "curl\t-d\t{\"auth\":[{\"password\":\"[3]\"}],\"signature\":[\"x\",{\"token\":\"[2]\"}]"
	  "}" },
	{ "curl\t-d\t{\"key\":\"{\\\"password\\\":\\\"abc\\\"}\"}",
	  "curl\t-d\t{\"key\":\"{\\\"password\\\":\\\"[4]\"}\"}" },
	{ "app\t--auth={\"password\":\"abc\"}", "app\t--auth={\"password\":\"[3]\"}" },
	{ "app\t{\"secrets\":{\"a\":\"X}\",\"b\":{\"c\":\"Y\"}},\"n\":1}",
	  "app\t{\"secrets\":{\"[21]},\"n\":1}" },
	{ "app\t{\"credentials\":[{\"a\":\"X\"},{\"b\":\"Y\"}],\"n\":1}",
	  "app\t{\"credentials\":[[19]],\"n\":1}" },
	{ "sh\t-c\tTOKEN=\"$(curl -s -u joe:S3Kret21 https://h/token)\"; :",
	  "sh\t-c\tTOKEN=\"$(curl -s -u joe:[8] https://h/token)\"; :" },
	{ "sh\t-c\tTOKEN=\"$(curl -s -d password=S3Kret22 h)\"",
	  "sh\t-c\tTOKEN=\"$(curl -s -d password=[8] h)\"" },
	{ "sh\t-c\tTOKEN=$(curl -s -u joe:ab h) PASS=`curl -u joe:cd h` x",
	  "sh\t-c\tTOKEN=$(curl -s -u joe:[2] h) PASS=`curl -u joe:[2] h` x" },
	{ "sh\t-c\tapp --token \"$(curl -d password=abc h)\" -v",
	  "sh\t-c\tapp --token \"$(curl -d password=[3] h)\" -v" },
	{ "sh\t-c\tmysql -p\"$(curl -u joe:abc h)\" db",
	  "sh\t-c\tmysql -p\"$(curl -u joe:[3] h)\" db" },
	{ "sh\t-c\tcurl -H \"X-Token: $(curl -u joe:abc h)\" h",
	  "sh\t-c\tcurl -H \"X-Token: $(curl -u joe:[3] h)\" h" },
	{ "sh\t-c\tcurl -H \"X-Token: $T\" -H \"Authorization: Bearer $T\" -d "
	  "\"{\\\"token\\\":\\\"$T\\\"}\" h",
	  NULL },
	{ "curl\t-d\t{\"key\":{\"kty\":\"RSA\",\"use\":\"sig\"},\"auth\":{\"type\":\"none\"},"
	  "\"password\":{},\"cookie\":[\"a\"]}",
	  NULL },
	/* interpreters, which the kernel puts before the script */
	{ "/usr/bin/python3\t/usr/bin/http\t-a\tjoe:S3Kret31\th",
	  "/usr/bin/python3\t/usr/bin/http\t-a\tjoe:[8]\th" },
	{ "/usr/bin/python3.11\t-W\tignore\t/usr/bin/twine\tupload\t-u\tme\t-p\tS3Kret32\td",
	  "/usr/bin/python3.11\t-W\tignore\t/usr/bin/twine\tupload\t-u\tme\t-p\t[8]\td" },
	{ "python3\t-m\ttwine\tupload\t-pabc", "python3\t-m\ttwine\tupload\t-p[3]" },
	{ "/bin/sh\t-e\t/usr/bin/mysqldump\t-pabc", "/bin/sh\t-e\t/usr/bin/mysqldump\t-p[3]" },
	{ "bash\t-o\tpipefail\t-c\tmysql -pabc | x", "bash\t-o\tpipefail\t-c\tmysql -p[3] | x" },
	{ "sh\t-c\texec \"$@\" x\tsh\tmysql\t-pabc", "sh\t-c\texec \"$@\" x\tsh\tmysql\t-p[3]" },
	{ "sh\t-c\tpython3 /usr/bin/http -a joe:abc h; perl x.pl -a joe:abc",
	  "sh\t-c\tpython3 /usr/bin/http -a joe:[3] h; perl x.pl -a joe:abc" },
	{ "python3\tsetup.py\tmysql\t-p\tx\t-pabc", NULL },
	/* names of hosts, containers, users are no programs */
	{ "docker\trun\t-d\t--name\tmongo\t-p\t27017:27017\tmongo:6", NULL },
	{ "docker\trun\t--name\tmysql\t-p\t80:80\t-p8080:80\tx", NULL },
	{ "docker\texec\tmongo\tmkdir\t-p\t/a/b", NULL },
	{ "docker\texec\t-u\tmysql\t-it\tmongo\tmkdir\t-p\t/a/b", NULL },
	{ "docker\texec\t-itu\tmysql\tmongo\tmysql\t-pabc",
	  "docker\texec\t-itu\tmysql\tmongo\tmysql\t-p[3]" },
	{ "docker\trun\t--rm\t-it\tmysql:8\tmysql\t-hdb\t-pabc",
	  "docker\trun\t--rm\t-it\tmysql:8\tmysql\t-hdb\t-p[3]" },
	{ "docker\trun\t--entrypoint\tmysql\timg\t-pabc",
	  "docker\trun\t--entrypoint\tmysql\timg\t-p[3]" },
	{ "docker\tcompose\texec\t-T\tdb\tmysql\t-pabc",
	  "docker\tcompose\texec\t-T\tdb\tmysql\t-p[3]" },
	{ "docker-compose\texec\tdb\tmysql\t-pabc", "docker-compose\texec\tdb\tmysql\t-p[3]" },
	{ "kubectl\t-n\texp\texec\t-it\tmysql\t-c\tdb\t--\tmysql\t-pabc",
	  "kubectl\t-n\texp\texec\t-it\tmysql\t-c\tdb\t--\tmysql\t-p[3]" },
	{ "kubectl\t-n\texp\tget\tpods/x", NULL },
	{ "kubectl\tlogs\tmongo\t-p\tNAME", NULL },
	{ "kubectl\texec\tmongo\t--\tmkdir\t-p\t/a/b", NULL },
	{ "sudo\t-u\tmongo\tmkdir\t-p\tx", NULL },
	{ "sudo\t-nu\tmongo\tmysql\t-pabc", "sudo\t-nu\tmongo\tmysql\t-p[3]" },
	{ "ssh\tmongo\tmkdir\t-p\tx", NULL },
	{ "ssh\t-lfoo\t-p\t22\th\tmysql\t-pabc", "ssh\t-lfoo\t-p\t22\th\tmysql\t-p[3]" },
	{ "sshpass\t-e\tssh\t-p\t2222\tu@h", NULL },
	{ "sshpass\t-pabc\trsync\t-p\tx\ty", "sshpass\t-p[3]\trsync\t-p\tx\ty" },
	{ "sshpass\t-p\tabc\tssh\t-p\t22\th", "sshpass\t-p\t[3]\tssh\t-p\t22\th" },
	{ "su\t-\tmysql\t-c\tmysql -pabc db", "su\t-\tmysql\t-c\tmysql -p[3] db" },
	{ "runuser\t-u\tmysql\t--\tmysql\t-pabc", "runuser\t-u\tmysql\t--\tmysql\t-p[3]" },
	{ "runuser\t-l\tmysql\t-c\tmysql -pabc db", "runuser\t-l\tmysql\t-c\tmysql -p[3] db" },
	{ "timeout\t10\tmysql\t-pabc", "timeout\t10\tmysql\t-p[3]" },
	{ "find\t.\t-exec\tmysql\t-pabc\t{}\t;\t-exec\tmkdir\t-pv\tx\t;",
	  "find\t.\t-exec\tmysql\t-p[3]\t{}\t;\t-exec\tmkdir\t-pv\tx\t;" },
	{ "pkexec\tmysql\t-pabc", "pkexec\tmysql\t-p[3]" },
	{ "proxychains\t-q\tcurl\t-u\tjoe:abc", "proxychains\t-q\tcurl\t-u\tjoe:[3]" },
	{ "podman\trun\t--secret\tmysecret,type=env,target=X\timage", NULL },
	{ "curl\thttp://[fe80::1]:80/users/joe@x.org", NULL },
	{ "curl\thttp://joe:abc@[fe80::1]:80/x", "curl\thttp://joe:[3]@[fe80::1]:80/x" },
	/* find's own options behind those of the program */
	{ "find\t.\t-exec\tmysql\t-e\tx\t;\t-print", NULL },
	/* "Name:" in a script goes no further than its command */
	{ "sh\t-c\techo Enter token:; true make install; true rm -rf /srv/x", NULL },
	{ "ssh\th\techo Enter token:; true make install", NULL },
	{ "sh\t-c\techo token:\nmake install; read -p \"Your password: \" x", NULL },
	{ "sh\t-c\techo password: abc; curl -u joe:abc h",
	  "sh\t-c\techo password: [3]; curl -u joe:[3] h" },
	{ "sh\t-c\techo \"password: a b\"; curl -u joe:abc h",
	  "sh\t-c\techo \"password: [3]\"; curl -u joe:[3] h" },
	{ "app\ta: b\npassword: a b\nc: d", "app\ta: b\npassword: [3]\nc: d" },
	/* a value in a list ends at the sign that its own began with */
	{ "curl\t-d\tuser=joe&password=ab,S3Kret17&x=1", "curl\t-d\tuser=joe&password=[11]&x=1" },
	{ "sh\t-c\tcurl -d \"user=x&password=ab;S3Kret33\" h",
	  "sh\t-c\tcurl -d \"user=x&password=[11]\" h" },
	{ "sh\t-c\tcurl -d \"user=x&password=ab&z=y\" h; cd x;PASSWORD=a,b;ls",
	  "sh\t-c\tcurl -d \"user=x&password=[2]&z=y\" h; cd x;PASSWORD=[3];ls" },
	{ "app\tServer=h;Pwd='a;b';Uid=u", "app\tServer=h;Pwd='[3]';Uid=u" },
	{ "app\tServer=h;Password={a;b};Uid=u", "app\tServer=h;Password=[5];Uid=u" },
	{ "app\tDriver={ODBC Driver 17};Password={a;b};Uid=u",
	  "app\tDriver={ODBC Driver 17};Password=[5];Uid=u" },
	{ "app\ta=b,token=ab;cd|ef,x=y?secret=a,b&z", "app\ta=b,token=[8],x=y?secret=[3]&z" },
	/* other spellings */
	{ "docker\tlogin\t-pS3Kret13", "docker\tlogin\t-p[8]" },
	{ "docker\trun\t--health-cmd=mysqladmin ping -pS3Kret15\tx",
	  "docker\trun\t--health-cmd=mysqladmin ping -p[8]\tx" },
	{ "sh\t-c\tdocker run --health-cmd=\"mysqladmin ping -pS3Kret15\" x",
	  "sh\t-c\tdocker run --health-cmd=\"mysqladmin ping -p[8]\" x" },
	{ "curl\t-sH\tX-Api-Key:S3Kret12", "curl\t-sH\tX-Api-Key:[8]" },
	{ "rdesktop\t-pabc\th", "rdesktop\t-p[3]\th" },
	{ "mosquitto_pub\t-Pabc\t-u\tx", "mosquitto_pub\t-P[3]\t-u\tx" },
	{ "kadmin\t-wabc", "kadmin\t-w[3]" },
	{ "ncftpput\t-pabc", "ncftpput\t-p[3]" },
	{ "ssh-keygen\t-pN\tabc", "ssh-keygen\t-pN\t[3]" },
	{ "ssh-keygen\t-pNabc\t-f\tk", "ssh-keygen\t-pN[3]\t-f\tk" },
	{ "useradd\t-rmp\tabc\tjoe", "useradd\t-rmp\t[3]\tjoe" },
	{ "http\th\tX-Api-Key:abc\tAccept:x", "http\th\tX-Api-Key:[3]\tAccept:x" },
	{ "ssh\t-o\tProxyCommand=sshpass -p abc ssh -W %h h\tg",
	  "ssh\t-o\tProxyCommand=sshpass -p [3] ssh -W %h h\tg" },
	{ "sh\t-c\tssh -o 'ProxyCommand=sshpass -p abc ssh h' -p 22 g",
	  "sh\t-c\tssh -o 'ProxyCommand=sshpass -p [3] ssh h' -p 22 g" },
	{ "rsync\t--rsh=sshpass -p abc ssh\ta\tb", "rsync\t--rsh=sshpass -p [3] ssh\ta\tb" },
	{ "rsync\t-e\tsshpass -p abc ssh\ta", "rsync\t-e\tsshpass -p [3] ssh\ta" },
	{ "env\tGIT_SSH_COMMAND=sshpass -p abc ssh\tgit\tpull",
	  "env\tGIT_SSH_COMMAND=sshpass -p [3] ssh\tgit\tpull" },
	{ "sh\t-c\tGIT_SSH_COMMAND='sshpass -p abc ssh' git -p pull",
	  "sh\t-c\tGIT_SSH_COMMAND='sshpass -p [3] ssh' git -p pull" },
	{ "redis-server\t--requirepass\tabc", "redis-server\t--requirepass\t[3]" },
	{ "redis-cli\tconfig\tset\trequirepass\tabc", "redis-cli\tconfig\tset\trequirepass\t[3]" },
	/* what a shell puts in its place is none, unless there is a text of its own */
	{ "sh\t-c\tDB_PASSWORD=${DB_PASSWORD:-S3Kret16} true", "sh\t-c\tDB_PASSWORD=[24] true" },
	{ "sh\t-c\tPASSWORD=$'a X' true", "sh\t-c\tPASSWORD=[6] true" },
	{ "sh\t-c\tPASSWORD=$X\"X\" true", "sh\t-c\tPASSWORD=[5] true" },
	{ "sh\t-c\tPASSWORD=\"$(cat f)abc\" true", "sh\t-c\tPASSWORD=\"[11]\" true" },
	{ "sh\t-c\tPASSWORD=\"$X\" TOKEN=${X} PASS=\"$(cat \"$f\")\" SECRET=`cat f` PW=$1 true",
	  NULL },
	{ "sh\t-c\tPASSWORD=${X:-} TOKEN=${X:-$Y} PASS=${X%%:*} SECRET=\"$A${B}\" PW=${1:?usage} "
	  "true",
	  NULL },
	/* blanks around the sign, quotes escaped twice, an option in quotes */
	{ "python3\t-c\tpassword = \"X y\"; user = \"joe\"",
	  "python3\t-c\tpassword = \"[3]\"; user = \"joe\"" },
	{ "perl\t-e\tf(user => 'joe', password => 'X y', 'token' => \"ab\")",
	  "perl\t-e\tf(user => 'joe', password => '[3]', 'token' => \"[2]\")" },
	{ "sh\t-c\tcat >f <<EOF\n[client]\npassword = abc\nuser = joe\nEOF",
	  "sh\t-c\tcat >f <<EOF\n[client]\npassword = [3]\nuser = joe\nEOF" },
	{ "sh\t-c\tif [ \"$TOKEN\" = \"\" ] && [ \"$PASSWORD\" = \"$X\" ]; then ls -p; fi", NULL },
	{ "app\t{\\\\\"user\\\\\":\\\\\"joe\\\\\",\\\\\"password\\\\\":\\\\\"X\\\\\"}",
	  "app\t{\\\\\"user\\\\\":\\\\\"joe\\\\\",\\\\\"password\\\\\":\\\\\"[3]\"}" },
	{ "app\t{\\\\\\\"password\\\\\\\":\\\\\\\"a\\\\\\\\\\\\\\\"b\\\\\\\"}",
	  "app\t{\\\\\\\"password\\\\\\\":\\\\\\\"[13]\"}" },
	{ "sh\t-c\tmysql \"-pX Y\" -uroot", "sh\t-c\tmysql \"-p[3]\" -uroot" },
	{ "sh\t-c\tapp \"--password=X Y\" -v", "sh\t-c\tapp \"--password=[3]\" -v" },
	{ "ssh\th\tbash -c \"mysql -pX db\"", "ssh\th\tbash -c \"mysql -p[1] db\"" },
	/* the value of an option before the program, with blanks */
	{ "ssh\t-o\tUserKnownHostsFile /dev/null\tmongo\tmkdir\t-p\tx", NULL },
	{ "python3\t-W\tignore this\t/usr/bin/http\t-a\tjoe:abc",
	  "python3\t-W\tignore this\t/usr/bin/http\t-a\tjoe:[3]" },
};

/* Takes the hash out of markers: "[redacted 12 a1b2c3d4e5f6]" is "[12]". */
static size_t markers_shorten(char *text, size_t bytes)
{
	static const char head[] = "[redacted ";
	size_t to = 0;

	for (size_t at = 0; at < bytes;) {
		if (bytes - at > sizeof(head) + 12 &&
		    memcmp(text + at, head, sizeof(head) - 1) == 0) {
			at += sizeof(head) - 1;
			text[to++] = '[';
			while (text[at] != ' ')
				text[to++] = text[at++];
			at += 1 + 12;
			continue;
		}
		text[to++] = text[at++];
	}
	return to;
}

static size_t argv_make(const char *line, uint8_t *argv)
{
	size_t bytes = strlen(line);

	for (size_t i = 0; i < bytes; i++)
		argv[i] = line[i] == '\t' ? '\0' : (uint8_t)line[i];
	argv[bytes] = '\0';
	return bytes + 1;
}

/* What becomes of a command line, as the table writes it; gives the number of secrets. */
static uint32_t redacted(const struct redactor *with, const char *line, bool cut, char out[1024])
{
	uint8_t argv[1024], written[4096];
	size_t bytes = argv_make(line, argv) - cut;
	bool full;
	uint32_t count = redact_argv(with, &(struct redact_text){ argv, bytes, cut }, written,
				     sizeof(written), &bytes, &full);

	bytes = markers_shorten((char *)written, bytes);
	for (size_t i = 0; i + !cut < bytes; i++)
		out[i] = written[i] ? (char)written[i] : '\t';
	out[bytes - !cut] = '\0';
	return count;
}

static void test_table(void)
{
	char out[1024];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *expected = cases[i].expected ? cases[i].expected : cases[i].argv;
		uint32_t count = redacted(redactor, cases[i].argv, false, out);

		ok(strcmp(out, expected) == 0 && (count > 0) == (cases[i].expected != NULL), "%s",
		   expected);
		if (strcmp(out, expected) != 0)
			printf("# got: %s\n", out);
	}
}

/* A command line that was cut off in the middle of a secret: the half of it goes too. */
static void test_cut(void)
{
	static const struct {
		const char *argv, *expected;
	} cut[] = {
		{ "app\t--password=hun", "app\t--password=[3]" },
		{ "app\tghp_16C7e42F", "app\t[12]" },
		{ "app\tAKIAIOSF", "app\t[8]" },
		{ "app\teyJhbGciOiJIUzI1NiJ9", "app\t[20]" },
		{ "app\teyJhbGciOiJIUzI1NiJ9.eyJ", "app\t[24]" },
		{ "git\tclone\thttps://joe:abc", "git\tclone\thttps://joe:[3]" },
		{ "git\tclone\thttps://joe:80", NULL },
		{ "app\t-----BEGIN RSA PRIVATE KEY-----\nMII", "app\t[35]" },
		{ "sh\t-c\tapp --password 'a b", "sh\t-c\tapp --password '[3]" },
		{ "app\t{\"password\":\"ab", "app\t{\"password\":\"[2]" },
		{ "ls\t-l", NULL },
	};
	char out[1024];

	for (size_t i = 0; i < sizeof(cut) / sizeof(cut[0]); i++) {
		const char *expected = cut[i].expected ? cut[i].expected : cut[i].argv;

		(void)redacted(redactor, cut[i].argv, true, out);
		ok(strcmp(out, expected) == 0, "cut off: %s", expected);
		if (strcmp(out, expected) != 0)
			printf("# got: %s\n", out);
	}
}

static size_t marker_of(const struct redactor *with, const char *line, char out[256])
{
	uint8_t argv[256];
	size_t bytes = argv_make(line, argv);
	bool full;

	(void)redact_argv(with, &(struct redact_text){ argv, bytes, false }, (uint8_t *)out, 255,
			  &bytes, &full);
	out[bytes] = '\0';
	return bytes;
}

static void test_marker(void)
{
	static const uint8_t other_key[REDACT_KEY_BYTES] = { 9 };
	struct redactor *other = NULL;
	char message[REDACT_MESSAGE_BYTES], one[256], two[256], three[256];
	uint8_t argv[64], out[64];
	size_t bytes, written = 0, wrong = 0;
	bool cut;

	if (redactor_new(other_key, "", 0, &other, message) < 0)
		abort();
	(void)marker_of(redactor, "--token=abc", one);
	(void)marker_of(redactor, "--secret=abc", two);
	ok(strncmp(one, "--token=[redacted 3 ", 20) == 0 && strcmp(one + 20, two + 21) == 0,
	   "a secret has one marker wherever it stands");
	(void)marker_of(redactor, "--token=abd", two);
	(void)marker_of(other, "--token=abc", three);
	ok(strcmp(one, two) != 0 && strcmp(one, three) != 0,
	   "another secret has another one, and so it has under another key");
	bytes = argv_make("a\t--token=abc\tb", argv);
	for (size_t room = 0; room < 38; room++) {
		memset(out, 0x5a, sizeof(out));
		(void)redact_argv(redactor, &(struct redact_text){ argv, bytes, false }, out, room,
				  &written, &cut);
		wrong += written != room || !cut || out[room] != 0x5a ||
			 memmem(out, written, "abc", 3) != NULL;
	}
	ok(wrong == 0, "out is filled up to its end and not beyond, and never with the secret");
	redactor_free(other);
}

static int rules_try(const char *rules, struct redactor **ret_redactor,
		     char message[REDACT_MESSAGE_BYTES])
{
	return redactor_new(key, rules, strlen(rules), ret_redactor, message);
}

static void bad(const char *rules, const char *complaint)
{
	struct redactor *none = NULL;
	char message[REDACT_MESSAGE_BYTES] = "";

	ok(rules_try(rules, &none, message) == -EINVAL && !none && strstr(message, complaint),
	   "bad rules: %s", message);
}

static void test_rules(void)
{
	struct redactor *with = NULL;
	char message[REDACT_MESSAGE_BYTES], out[1024];
	int r = rules_try("# ours\n\n secret internal-id\nsecret -z acme acmectl # both\r\n"
			  "plain --token\nprefix acme_ 8\nsecret --login *\n",
			  &with, message);

	ok(r == 0, "rules are read, with comments and empty lines");
	if (r < 0)
		return;
	(void)redacted(with, "x\t--internal-id\tab\tINTERNAL_ID=cd\tinternal-identity=e", false,
		       out);
	ok(strcmp(out, "x\t--internal-id\t[2]\tINTERNAL_ID=[2]\tinternal-identity=e") == 0,
	   "secret NAME: of options and variables");
	(void)redacted(with, "acmectl\t-z\tab\t-zcd", false, out);
	ok(strcmp(out, "acmectl\t-z\t[2]\t-z[2]") == 0, "secret -x PROGRAM: of these programs");
	ok(redacted(with, "gzip\t-z\tab", false, out) == 0, "and of no others");
	(void)redacted(with, "any\t--login\tab", false, out);
	ok(strcmp(out, "any\t--login\t[2]") == 0, "or of all of them");
	ok(redacted(with, "x\t--token=ab\tTOKEN=cd", false, out) == 0, "plain NAME: is none");
	(void)redacted(with, "x\tacme_12345678\tacme_1234567\txacme_12345678", false, out);
	ok(strcmp(out, "x\t[13]\tacme_1234567\txacme_12345678") == 0, "prefix TEXT MIN: by looks");
	redactor_free(with);
	bad("secrets x", "line 1: 'secrets' is none of");
	bad("\nsecret", "line 2: something is missing");
	bad("secret -x", "line 1: of which programs");
	bad("prefix ab", "line 1: a prefix of 2");
	bad("prefix a 3", "line 1: a prefix of 2");
	bad("prefix ab x3", "'x3' is not a number");
	bad("plain --", "a name is missing");
}

/* Whatever the arguments are, what is written is no longer than it may be, and the same again. */
static void test_noise(void)
{
	static const char alphabet[] = "-=:'\"\\ ;{}@/,.\tpasswordtokenAKIA19eyJ\n$";
	uint8_t argv[300], one[2048], two[2048];
	size_t wrong = 0;
	uint32_t state = 1;

	for (unsigned round = 0; round < 20000; round++) {
		size_t bytes = round % sizeof(argv), one_bytes = 0, two_bytes = 0;
		bool cut;

		for (size_t i = 0; i < bytes; i++) {
			state = state * 1664525u + 1013904223u;
			argv[i] = (uint8_t)alphabet[(state >> 16) % (sizeof(alphabet) - 1)];
			argv[i] = argv[i] == '\t' ? '\0' : argv[i];
		}
		(void)redact_argv(redactor, &(struct redact_text){ argv, bytes, round & 1 }, one,
				  sizeof(one), &one_bytes, &cut);
		(void)redact_argv(redactor, &(struct redact_text){ argv, bytes, round & 1 }, two,
				  sizeof(two), &two_bytes, &cut);
		wrong += one_bytes != two_bytes || memcmp(one, two, one_bytes) != 0;
	}
	ok(wrong == 0, "20000 heaps of quotes, blanks and names are gone through");
}

int main(void)
{
	char message[REDACT_MESSAGE_BYTES];

	if (redactor_new(key, "", 0, &redactor, message) < 0)
		return 1;
	test_table();
	test_cut();
	test_marker();
	test_rules();
	test_noise();
	redactor_free(redactor);
	redactor_free(NULL);
	return done_testing();
}
