"""boto3, and pycognito, which signs in by SRP with boto3."""

import boto3
import botocore.config
from pycognito.aws_srp import AWSSRP

from kit import claims, forgeries, refused, run_client, secret_hash, wrong


def lifecycle(pool, step):
    client = boto3.client(
        "cognito-idp",
        endpoint_url=pool.endpoint,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=botocore.config.Config(retries={"max_attempts": 1}),
    )
    app = App(client, pool)
    users(pool, step, client, app)
    administrators(pool, step, client, app)
    secrets(pool, step, client, app)
    pools(pool, step, client)


def users(pool, step, client, app):
    username, email, password = pool.user("jane")
    attributes = listed(email=email, name="Jane")
    if pool.has_custom_attributes:
        attributes += listed(**{"custom:tenant": "acme", "custom:seats": "3"})

    def sign_up(password):
        return client.sign_up(
            ClientId=pool.client_id, Username=username, Password=password, UserAttributes=attributes
        )

    with step("a weak password is rejected at sign-up"), refused("InvalidPasswordException"):
        sign_up("weakly")
    with step("a user signs up"):
        answer = sign_up(password)
        assert answer["UserConfirmed"] is False
        assert answer["CodeDeliveryDetails"]["Destination"] == "j***@e***"
    with step("a taken name is rejected"), refused("UsernameExistsException"):
        sign_up(password)
    with step("an unconfirmed user cannot sign in"), refused("UserNotConfirmedException"):
        app.sign_in(username, password)
    with step("a code is sent again"):
        client.resend_confirmation_code(ClientId=pool.client_id, Username=username)
        assert len(pool.messages(username)) == 2
    with step("the right code confirms; wrong and used codes do not"):

        def confirm(code):
            client.confirm_sign_up(ClientId=pool.client_id, Username=username, ConfirmationCode=code)

        code = pool.code(username)
        with refused("CodeMismatchException"):
            confirm(wrong(code))
        confirm(code)
        with refused("NotAuthorizedException"):
            confirm(code)

    with step("the password signs in by SRP"):
        tokens = app.srp(username, password)
        assert claims(tokens["IdToken"])["email"] == email
        assert claims(tokens["AccessToken"])["client_id"] == pool.client_id
    with step("a wrong password does not sign in by SRP"), refused("NotAuthorizedException"):
        app.srp(username, password + "x")
    with step("an unknown user does not sign in by SRP"), refused("NotAuthorizedException"):
        app.srp(pool.user("nobody")[0], password)
    with step("the password signs in by USER_PASSWORD_AUTH"):
        tokens = app.sign_in(username, password)
        assert tokens["ExpiresIn"] == 3600
    with step("a wrong password does not sign in by USER_PASSWORD_AUTH"), refused("NotAuthorizedException"):
        app.sign_in(username, password + "x")

    def attributes_of(access):
        return unlisted(client.get_user(AccessToken=access)["UserAttributes"])

    access = app.sign_in(username, password)["AccessToken"]
    with step("a user reads and changes their attributes"):
        client.update_user_attributes(AccessToken=access, UserAttributes=listed(nickname="jr"))
        assert attributes_of(access)["nickname"] == "jr"
        client.delete_user_attributes(AccessToken=access, UserAttributeNames=["nickname"])
        assert "nickname" not in attributes_of(access)
        with refused("InvalidParameterException"):
            client.update_user_attributes(AccessToken=access, UserAttributes=listed(**{"custom:no": "1"}))
    if pool.has_custom_attributes:
        with step("custom attributes are validated"):

            def update(name, value):
                client.update_user_attributes(AccessToken=access, UserAttributes=listed(**{name: value}))

            update("custom:seats", "99")
            assert attributes_of(access)["custom:seats"] == "99"
            for name, value in [("custom:seats", "100"), ("custom:seats", "x"), ("custom:tenant", "other")]:
                with refused("InvalidParameterException", "NotAuthorizedException"):
                    update(name, value)
    with step("an address is verified by its code, which works once"):
        client.get_user_attribute_verification_code(AccessToken=access, AttributeName="email")
        code = pool.code(username)

        def verify(code):
            client.verify_user_attribute(AccessToken=access, AttributeName="email", Code=code)

        with refused("CodeMismatchException"):
            verify(wrong(code))
        verify(code)
        with refused("ExpiredCodeException", "CodeMismatchException"):
            verify(code)
    with step("changing a password requires the old one"):

        def change(old, new):
            client.change_password(AccessToken=access, PreviousPassword=old, ProposedPassword=new)

        with refused("NotAuthorizedException"):
            change(password + "x", "Battery-Staple-2")
        change(password, "Battery-Staple-2")
        with refused("NotAuthorizedException"):
            app.srp(username, password)
        password = "Battery-Staple-2"
        app.srp(username, password)

    with step("a software token is set up and required, and its codes work once"):
        secret = client.associate_software_token(AccessToken=access)["SecretCode"]
        code = pool.totp(secret)
        with refused("EnableSoftwareTokenMFAException"):
            client.verify_software_token(AccessToken=access, UserCode=wrong(code))
        client.verify_software_token(AccessToken=access, UserCode=code)
        wanted = {"Enabled": True, "PreferredMfa": True}
        client.set_user_mfa_preference(AccessToken=access, SoftwareTokenMfaSettings=wanted)
        with refused("SoftwareTokenMFAChallengeException"):
            app.srp(username, password)
        challenge = app.initiate(username, password)
        assert challenge["ChallengeName"] == "SOFTWARE_TOKEN_MFA"

        def answer(challenge, code):
            name = challenge["ChallengeParameters"]["USER_ID_FOR_SRP"]
            return client.respond_to_auth_challenge(
                ClientId=pool.client_id,
                ChallengeName="SOFTWARE_TOKEN_MFA",
                Session=challenge["Session"],
                ChallengeResponses={"USERNAME": name, "SOFTWARE_TOKEN_MFA_CODE": code},
            )

        code = pool.totp(secret)
        with refused("CodeMismatchException"):
            answer(challenge, wrong(code))
        assert answer(challenge, code)["AuthenticationResult"]["AccessToken"]
        with refused("NotAuthorizedException"):
            answer(challenge, pool.totp(secret))
        with refused("ExpiredCodeException", "CodeMismatchException"):
            answer(app.initiate(username, password), code)
        off = {"Enabled": False, "PreferredMfa": False}
        client.set_user_mfa_preference(AccessToken=access, SoftwareTokenMfaSettings=off)

    with step("a session is refreshed by both operations"):
        tokens = app.srp(username, password)
        fresh = app.refresh(tokens["RefreshToken"])
        assert "RefreshToken" not in fresh
        assert claims(fresh["AccessToken"])["jti"] != claims(tokens["AccessToken"])["jti"]
        answer = client.get_tokens_from_refresh_token(
            ClientId=pool.client_id, RefreshToken=tokens["RefreshToken"]
        )
        attributes_of(answer["AuthenticationResult"]["AccessToken"])
    with step("revocation ends a session and leaves others"):
        other = app.sign_in(username, password)
        client.revoke_token(ClientId=pool.client_id, Token=tokens["RefreshToken"])
        for call in (
            lambda: attributes_of(tokens["AccessToken"]),
            lambda: attributes_of(fresh["AccessToken"]),
            lambda: app.refresh(tokens["RefreshToken"]),
        ):
            with refused("NotAuthorizedException"):
                call()
        attributes_of(other["AccessToken"])
    with step("a global sign-out ends all sessions"):
        client.global_sign_out(AccessToken=other["AccessToken"])
        with refused("NotAuthorizedException"):
            attributes_of(other["AccessToken"])
        with refused("NotAuthorizedException"):
            app.refresh(other["RefreshToken"])
    with step("a forgotten password can be reset only with the code, and once"):
        client.forgot_password(ClientId=pool.client_id, Username=username)
        code = pool.code(username)

        def reset(code, password):
            client.confirm_forgot_password(
                ClientId=pool.client_id, Username=username, ConfirmationCode=code, Password=password
            )

        with refused("CodeMismatchException"):
            reset(wrong(code), "Third-Password-3")
        reset(code, "Third-Password-3")
        with refused("ExpiredCodeException", "CodeMismatchException"):
            reset(code, "Fourth-Password-4")
        with refused("NotAuthorizedException"):
            app.srp(username, password)
        password = "Third-Password-3"
        access = app.srp(username, password)["AccessToken"]
    with step("tokens that the pool did not sign are rejected"):
        for forged in forgeries(access).values():
            with refused("NotAuthorizedException"):
                attributes_of(forged)
    with step("an access token expires after an hour"):
        pool.advance(60 * 60 + 1)
        with refused("NotAuthorizedException"):
            attributes_of(access)
    if pool.has_custom_attributes:
        with step("a rotated refresh token works once"):
            own = App(client, pool, pool.rotating_client_id)
            tokens = own.srp(username, password)

            def rotated(token):
                answer = client.get_tokens_from_refresh_token(
                    ClientId=own.client_id, RefreshToken=token
                )
                return answer["AuthenticationResult"]

            following = rotated(tokens["RefreshToken"])
            with refused("RefreshTokenReuseException"):
                rotated(tokens["RefreshToken"])
            with refused("NotAuthorizedException", "RefreshTokenReuseException"):
                rotated(following["RefreshToken"])
    with step("a user can delete their own account"):
        access = app.srp(username, password)["AccessToken"]
        client.delete_user(AccessToken=access)
        with refused("NotAuthorizedException", "UserNotFoundException"):
            attributes_of(access)
        with refused("NotAuthorizedException"):
            app.srp(username, password)


def administrators(pool, step, client, app):
    username, email, password = pool.user("bob")

    def admin(operation, **more):
        return getattr(client, operation)(UserPoolId=pool.id, **more)

    with step("an invited user must choose a password"):
        admin(
            "admin_create_user",
            Username=username,
            UserAttributes=listed(email=email, email_verified="true"),
            TemporaryPassword="Temporary-Word-1",
        )
        with refused("ForceChangePasswordException"):
            app.srp(username, "Temporary-Word-1")
        helper = AWSSRP(
            username=username,
            password="Temporary-Word-1",
            pool_id=pool.id,
            client_id=pool.client_id,
            client=client,
        )
        tokens = helper.set_new_password_challenge(password)["AuthenticationResult"]
        assert tokens["AccessToken"]
        assert app.srp(username, password)
        with refused("NotAuthorizedException"):
            app.srp(username, "Temporary-Word-1")
    with step("a server signs a user in"):
        answer = admin(
            "admin_initiate_auth",
            ClientId=pool.client_id,
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": username, "PASSWORD": password},
        )
        assert answer["AuthenticationResult"]["IdToken"]
    with step("a user is read and changed"):
        admin("admin_update_user_attributes", Username=username, UserAttributes=listed(name="Bob"))
        user = admin("admin_get_user", Username=username)
        assert user["UserStatus"] == "CONFIRMED" and user["Enabled"]
        assert unlisted(user["UserAttributes"])["name"] == "Bob"
        assert user["UserCreateDate"].year > 2000
        admin("admin_delete_user_attributes", Username=username, UserAttributeNames=["name"])
    with step("a disabled user cannot sign in until enabled"):
        admin("admin_disable_user", Username=username)
        with refused("NotAuthorizedException"):
            app.srp(username, password)
        admin("admin_enable_user", Username=username)
        app.srp(username, password)
    with step("after an admin reset, the user must set a new password"):
        admin("admin_reset_user_password", Username=username)
        with refused("PasswordResetRequiredException"):
            app.sign_in(username, password)
        client.confirm_forgot_password(
            ClientId=pool.client_id,
            Username=username,
            ConfirmationCode=pool.code(username),
            Password="Reset-Password-1",
        )
        app.srp(username, "Reset-Password-1")
        admin("admin_set_user_password", Username=username, Password=password, Permanent=True)
        app.srp(username, password)
    with step("tokens contain the groups of the user"):
        role = "arn:aws:iam::111122223333:role/staff"
        admin("create_group", GroupName="staff", Precedence=1, RoleArn=role)
        with refused("GroupExistsException"):
            admin("create_group", GroupName="staff")
        admin("admin_add_user_to_group", Username=username, GroupName="staff")
        tokens = app.srp(username, password)
        assert claims(tokens["AccessToken"])["cognito:groups"] == ["staff"]
        assert claims(tokens["IdToken"])["cognito:preferred_role"] == role
        listing = admin("admin_list_groups_for_user", Username=username)
        assert [group["GroupName"] for group in listing["Groups"]] == ["staff"]
        assert len(admin("list_users_in_group", GroupName="staff")["Users"]) == 1
        admin("admin_remove_user_from_group", Username=username, GroupName="staff")
        assert "cognito:groups" not in claims(app.srp(username, password)["AccessToken"])
        admin("delete_group", GroupName="staff")
        with refused("ResourceNotFoundException"):
            admin("get_group", GroupName="staff")
    with step("users are listed page by page"):
        for number in range(5):
            name, address, _ = pool.user(f"user{number}")
            admin(
                "admin_create_user",
                Username=name,
                UserAttributes=listed(email=address),
                MessageAction="SUPPRESS",
            )
        paginator = client.get_paginator("list_users")
        pages = list(paginator.paginate(UserPoolId=pool.id, PaginationConfig={"PageSize": 2}))
        names = [user["Username"] for page in pages for user in page["Users"]]
        assert len(names) == len(set(names)) == 6 and len(pages) >= 3
        found = admin("list_users", Filter='email ^= "user"')["Users"]
        assert len(found) == 5
        with refused("InvalidParameterException"):
            admin("list_users", Filter="email")
    with step("an administrator signs a user out everywhere"):
        tokens = app.srp(username, password)
        admin("admin_user_global_sign_out", Username=username)
        with refused("NotAuthorizedException"):
            client.get_user(AccessToken=tokens["AccessToken"])
        with refused("NotAuthorizedException"):
            app.refresh(tokens["RefreshToken"])
    with step("a deleted user no longer exists"):
        admin("admin_delete_user", Username=username)
        with refused("UserNotFoundException"):
            admin("admin_get_user", Username=username)


def secrets(pool, step, client, app):
    username, email, password = pool.user("dave")
    with step("a client with a secret signs in by SRP only with the secret hash"):
        made = client.create_user_pool_client(
            UserPoolId=pool.id,
            ClientName="server",
            GenerateSecret=True,
            ExplicitAuthFlows=["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        )["UserPoolClient"]
        client_id, secret = made["ClientId"], made["ClientSecret"]
        own = App(client, pool, client_id)
        sign_up = dict(
            ClientId=client_id, Username=username, Password=password, UserAttributes=listed(email=email)
        )
        with refused("NotAuthorizedException"):
            client.sign_up(**sign_up)
        with refused("NotAuthorizedException"):
            client.sign_up(**sign_up, SecretHash=secret_hash(username, client_id, "wrong"))
        proof = secret_hash(username, client_id, secret)
        client.sign_up(**sign_up, SecretHash=proof)
        client.confirm_sign_up(
            ClientId=client_id, Username=username, ConfirmationCode=pool.code(username), SecretHash=proof
        )
        with refused("NotAuthorizedException"):
            own.srp(username, password)
        with refused("NotAuthorizedException"):
            own.srp(username, password, "wrong")
        with refused("NotAuthorizedException"):
            own.srp(username, password + "x", secret)
        tokens = own.srp(username, password, secret)
        name = claims(tokens["AccessToken"])["username"]
        with refused("NotAuthorizedException"):
            own.refresh(tokens["RefreshToken"])
        assert own.refresh(tokens["RefreshToken"], secret_hash(name, client_id, secret))
        with refused("UnauthorizedException"):
            client.revoke_token(ClientId=client_id, ClientSecret=secret[::-1], Token=tokens["RefreshToken"])
        client.revoke_token(ClientId=client_id, ClientSecret=secret, Token=tokens["RefreshToken"])
        with refused("NotAuthorizedException"):
            own.refresh(tokens["RefreshToken"], secret_hash(name, client_id, secret))
        client.delete_user_pool_client(UserPoolId=pool.id, ClientId=client_id)
        with refused("ResourceNotFoundException"):
            own.srp(username, password, secret)


def pools(pool, step, client):
    with step("a pool is created, described, listed and deleted"):
        made = client.create_user_pool(
            PoolName="second",
            UsernameAttributes=["email"],
            AutoVerifiedAttributes=["email"],
            Schema=[
                {
                    "Name": "plan",
                    "AttributeDataType": "String",
                    "StringAttributeConstraints": {"MinLength": "1", "MaxLength": "8"},
                }
            ],
        )["UserPool"]
        assert made["UsernameAttributes"] == ["email"]
        read = client.describe_user_pool(UserPoolId=made["Id"])["UserPool"]
        assert any(schema["Name"] == "custom:plan" for schema in read["SchemaAttributes"])
        listing = client.list_user_pools(MaxResults=60)["UserPools"]
        assert {pool.id, made["Id"]} <= {each["Id"] for each in listing}
        client.delete_user_pool(UserPoolId=made["Id"])
        with refused("ResourceNotFoundException"):
            client.describe_user_pool(UserPoolId=made["Id"])


class App:
    """An app client."""

    def __init__(self, client, pool, client_id=None):
        self.client = client
        self.pool = pool
        self.client_id = client_id or pool.client_id

    def initiate(self, username, password):
        return self.client.initiate_auth(
            ClientId=self.client_id,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": username, "PASSWORD": password},
        )

    def sign_in(self, username, password):
        answer = self.initiate(username, password)
        assert "AuthenticationResult" in answer, answer.get("ChallengeName")
        return answer["AuthenticationResult"]

    def srp(self, username, password, secret=None):
        helper = AWSSRP(
            username=username,
            password=password,
            pool_id=self.pool.id,
            client_id=self.client_id,
            client=self.client,
            client_secret=secret,
        )
        return helper.authenticate_user()["AuthenticationResult"]

    def refresh(self, token, proof=None):
        parameters = {"REFRESH_TOKEN": token} | ({"SECRET_HASH": proof} if proof else {})
        answer = self.client.initiate_auth(
            ClientId=self.client_id, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters=parameters
        )
        return answer["AuthenticationResult"]


def listed(**attributes):
    return [{"Name": name, "Value": value} for name, value in attributes.items()]


def unlisted(attributes):
    return {attribute["Name"]: attribute["Value"] for attribute in attributes}


run_client("boto3", lifecycle)
